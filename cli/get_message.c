/* SPDX-License-Identifier: MIT */
/* What `weft get` says, and the exit status that goes with it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "get_transfer.h"
#include "printable.h"

void get_end_progress(struct get *get)
{
    weft_timer_stop(&get->redraw);
    if (get->progress.drawn)
        get_progress_draw(&get->progress, weft_loop_now(get->loop), true);
    get->progress.shown = get->progress.drawn = false;
}

void get_complain(struct get *get, int status, const char *format, ...)
{
    char text[400], shown[200];
    va_list arguments;

    get_end_progress(get);
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "weft get: %s: %s\n", printable_url(get->url, shown, sizeof shown), text);
    if (get->status == EXIT_DONE)
        get->status = status;
}

static int status_of(int error)
{
    switch (error) {
    case WEFT_ENONAME:
    case WEFT_ENAMETRY:
        return GET_NO_NAME;
    case -ECONNREFUSED:
    case -EHOSTUNREACH:
    case -ENETUNREACH:
    case -ENOENT:
    case WEFT_EADDRESS:
        return GET_NO_CONNECTION;
    case WEFT_ETRUNCATED:
    case WEFT_ETLSTRUNCATED:
        return GET_TRUNCATED;
    case WEFT_ETLSHANDSHAKE:
    case WEFT_ETLSRECORD:
    case WEFT_ETLSALERT:
    case WEFT_ETLSPROFILE:
    case WEFT_ETLSALPN:
    case WEFT_ETLSFLOOD:
    case WEFT_ETLSCREDENTIALS:
        return GET_TLS;
    case WEFT_ETLSUNTRUSTED:
    case WEFT_ETLSNAME:
    case WEFT_ETLSEXPIRED:
    case WEFT_ETLSUSAGE:
    case WEFT_ETLSREVOKED:
    case WEFT_ETLSWEAK:
    case WEFT_ETLSSTAPLE:
    case WEFT_ETLSNOCERTIFICATE:
        return GET_CERTIFICATE;
    case WEFT_EREDIRECT:
    case WEFT_EREDIRECTS:
        return GET_REDIRECTS;
    case WEFT_EURL:
    case WEFT_ESCHEME:
    case -EINVAL:
        return EXIT_USAGE;
    default:
        break;
    }
    switch (weft_error_class_of(error)) {
    case WEFT_CLASS_TIMEOUT:
        return GET_TIMEOUT;
    case WEFT_CLASS_LIMIT:
        return GET_LIMIT;
    case WEFT_CLASS_MEMORY:
        return EXIT_FAILED;
    default:
        return GET_PROTOCOL;
    }
}

void get_explain(struct get *get, int error)
{
    const char *problem = get->request ? weft_http_request_problem(get->request) : "";
    const weft_address *peer = get->request ? weft_http_request_peer(get->request) : NULL;
    char address[WEFT_ADDRESS_TEXT] = "", shown[300];

    if (get->interrupted) {
        get_complain(get, GET_INTERRUPTED, "interrupted");
        return;
    }
    if (peer && peer->family != WEFT_ADDRESS_NONE)
        weft_address_text(peer, address);
    get_complain(get, status_of(error), "%s%s%s%s%s%s", weft_error_text(error), *problem ? ": " : "",
                 printable(weft_bytes_from(problem), shown, sizeof shown), *address ? " (" : "", address,
                 *address ? ")" : "");
}
