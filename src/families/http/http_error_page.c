/* SPDX-License-Identifier: MIT */
#include "families/http/http_error_page.h"

#include <stdio.h>

/* The hash is that of the style below: a test compares them, and prints the right one. */
const char http_error_page_policy[] =
    "default-src 'none'; style-src 'sha256-mMTQYRQnbBPbN6K0yIOE6vDvEW3lKc6BQsOmjnMY9xk='; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static const char style[] =
    ":root{color-scheme:light dark}"
    "body{margin:0 auto;max-width:36rem;padding:18vh 1.5rem 2rem;"
    "font:1rem/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Noto Sans\",\"DejaVu Sans\",sans-serif}"
    "h1{margin:0;font-size:1.5rem;line-height:1.3}"
    "h1 b{display:block;font-size:4rem;line-height:1.1;font-weight:300;opacity:.6}"
    "p{opacity:.8}";

struct status_row {
    unsigned status;
    const char *reason;
    const char *meaning; /* a sentence for a person, or NULL */
};

static const struct status_row statuses[] = {
    {100, "Continue", NULL},
    {101, "Switching Protocols", NULL},
    {200, "OK", NULL},
    {201, "Created", NULL},
    {202, "Accepted", NULL},
    {204, "No Content", NULL},
    {205, "Reset Content", NULL},
    {206, "Partial Content", NULL},
    {300, "Multiple Choices", NULL},
    {301, "Moved Permanently", "This has another address now."},
    {302, "Found", "This is at another address at the moment."},
    {303, "See Other", "The answer is at another address."},
    {304, "Not Modified", NULL},
    {307, "Temporary Redirect", "This is at another address at the moment."},
    {308, "Permanent Redirect", "This has another address now."},
    {400, "Bad Request", "The request is not valid HTTP."},
    {401, "Unauthorized", "One must sign in to see this."},
    {403, "Forbidden", "This may not be read."},
    {404, "Not Found", "There is nothing at this address."},
    {405, "Method Not Allowed", "This can be read, but not be changed."},
    {406, "Not Acceptable", "There is no form of this that the client takes."},
    {408, "Request Timeout", "The request did not arrive in time."},
    {409, "Conflict", "The request does not fit what is here now."},
    {410, "Gone", "This is no longer here."},
    {411, "Length Required", "The request does not say how long it is."},
    {412, "Precondition Failed", "This has changed since it was last read."},
    {413, "Content Too Large", "The request has more content than is taken."},
    {414, "URI Too Long", "The address is too long."},
    {415, "Unsupported Media Type", "The request has content of a type that is not taken."},
    {416, "Range Not Satisfiable", "This does not have the part that was asked for."},
    {417, "Expectation Failed", "The request expects what this server does not do."},
    {421, "Misdirected Request", "This server does not answer for that name."},
    {426, "Upgrade Required", "The client must speak another protocol."},
    {428, "Precondition Required", "The request must say which version it means."},
    {429, "Too Many Requests", "There were too many requests. Please wait a little."},
    {431, "Request Header Fields Too Large", "The request has a larger header than is taken."},
    {500, "Internal Server Error", "Something went wrong here."},
    {501, "Not Implemented", "This server does not know how to do that."},
    {502, "Bad Gateway", "A server behind this one did not answer properly."},
    {503, "Service Unavailable", "There is too much to do at the moment. Please try again later."},
    {504, "Gateway Timeout", "A server behind this one did not answer in time."},
    {505, "HTTP Version Not Supported", "This server does not speak that version of HTTP."},
};

static const struct status_row *find(unsigned status)
{
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        if (statuses[i].status == status)
            return &statuses[i];
    return NULL;
}

static const struct status_row *row_of(unsigned status)
{
    const struct status_row *row = find(status);

    if (!row)
        row = find(status / 100 * 100);
    return row ? row : find(500);
}

weft_bytes http_status_reason(unsigned status)
{
    return weft_bytes_from(row_of(status)->reason);
}

size_t http_error_page(unsigned status, char out[HTTP_ERROR_PAGE_ROOM])
{
    const struct status_row *row = row_of(status);
    const char *meaning = row->meaning ? row->meaning : "";

    return (size_t)snprintf(out, HTTP_ERROR_PAGE_ROOM,
                            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                            "<title>%u %s</title>\n<style>%s</style>\n</head>\n<body>\n"
                            "<h1><b>%u</b> %s</h1>\n<p>%s</p>\n</body>\n</html>\n",
                            status, row->reason, style, status, row->reason, meaning);
}
