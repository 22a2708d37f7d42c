/* SPDX-License-Identifier: MIT */
/*
 * The key log: the secrets of each connection, so that whoever looks for a
 * fault can read a recording of it. Only for whoever asks for it, by an
 * option: the environment alone turns nothing on.
 */
#include "net/tls_internal.h"

#include <weft/log.h>
#include <weft/memory.h>

#include "backend/file.h"

#define LINE_MOST 512

struct tls_key_log {
    weft_tls_key_log *call;
    void *arg;
    weft_file *file; /* or NULL */
};

static int open_file(struct tls_key_log *log, weft_failure **ret_failure)
{
    const char *path = getenv("SSLKEYLOGFILE");
    int status;

    if (!path || !*path)
        return 0;
    status = file_append_start(path, &log->file);
    if (status < 0)
        return tls_error_setup(status, ret_failure, "the key log %s", path);
    weft_log(WEFT_LOG_WARNING, "tls", "the secrets of every connection are written to %s", path);
    return 0;
}

int tls_key_log_new(bool environment, weft_tls_key_log *call, void *arg, struct tls_key_log **ret,
                    weft_failure **ret_failure)
{
    struct tls_key_log *log;
    int status = 0;

    if (!environment && !call)
        return 0;
    log = weft_allocate_zeroed(1, sizeof *log);
    if (!log)
        return tls_error_setup(WEFT_ENOMEM, ret_failure, "the key log");
    log->call = call;
    log->arg = arg;
    if (environment)
        status = open_file(log, ret_failure);
    if (status < 0)
        tls_key_log_free(log);
    else
        *ret = log;
    return status;
}

void tls_key_log_free(struct tls_key_log *log)
{
    if (!log)
        return;
    weft_file_unref(log->file);
    weft_release(log);
}

/* One write of one line: what several loops append does not mix. */
static void append(weft_file *file, const char *line)
{
    char buffer[LINE_MOST];
    size_t length = strlen(line), written;

    if (length + 1 > sizeof buffer)
        return;
    memcpy(buffer, line, length);
    buffer[length] = '\n';
    (void)file_write(file, 0, buffer, length + 1, &written);
}

void tls_key_log_line(const SSL *ssl, const char *line)
{
    const struct tls_layer *layer = SSL_get_app_data(ssl);
    const struct tls_key_log *log = layer->server ? layer->server->log : layer->client->log;

    if (log && log->call)
        log->call(line, log->arg);
    if (log && log->file)
        append(log->file, line);
}
