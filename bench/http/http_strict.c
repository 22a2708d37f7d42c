/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 hello on bare epoll with a strict parser: the reference for a real server's cost.
 *
 *     http_strict PORT
 *
 * The parser is llhttp, Node's, built in its strict mode from Debian's C sources. It checks the method against the
 * known ones; the target and the version; that field names are tokens; that values hold no control characters; that
 * lines end with CR LF and nothing is folded; that Content-Length is a number, is not repeated, and does not come with
 * Transfer-Encoding. We check besides that Host is there exactly once. Bodies are skipped. A refused request ends the
 * connection without an answer. Nothing is kept of a request: no target, no fields, no limits, no deadlines.
 */
#include "http_loop.h"

#include <llhttp.h>

struct connection {
    llhttp_t parser;
    int fd;
    int requests;     /* completed in this read */
    unsigned hosts;   /* Host fields of this request */
    unsigned matched; /* bytes of the field's name that are those of "host"; NO_MATCH if one was not */
};

#define NO_MATCH 1000u

static llhttp_settings_t settings;

static struct connection *connection_of(llhttp_t *parser)
{
    return parser->data;
}

static int field_begins_or_goes_on(llhttp_t *parser, const char *at, size_t length)
{
    static const char host[] = "host";
    struct connection *connection = connection_of(parser);

    if (connection->matched + length > 4) {
        connection->matched = NO_MATCH;
        return 0;
    }
    for (size_t i = 0; i < length; i++) {
        if ((at[i] | 0x20) != host[connection->matched++]) {
            connection->matched = NO_MATCH;
            break;
        }
    }
    return 0;
}

static int field_named(llhttp_t *parser)
{
    struct connection *connection = connection_of(parser);

    connection->hosts += connection->matched == 4;
    connection->matched = 0;
    return 0;
}

static int head_complete(llhttp_t *parser)
{
    return connection_of(parser)->hosts == 1 ? 0 : -1;
}

static int request_complete(llhttp_t *parser)
{
    struct connection *connection = connection_of(parser);

    connection->requests++;
    connection->hosts = 0;
    return 0;
}

struct connection *connection_new(int fd)
{
    struct connection *connection = need(calloc(1, sizeof *connection));

    llhttp_init(&connection->parser, HTTP_REQUEST, &settings);
    connection->parser.data = connection;
    connection->fd = fd;
    return connection;
}

void connection_free(struct connection *connection)
{
    free(connection);
}

int connection_fd(const struct connection *connection)
{
    return connection->fd;
}

int requests_in(struct connection *connection, const char *bytes, size_t length)
{
    connection->requests = 0;
    return llhttp_execute(&connection->parser, bytes, length) == HPE_OK ? connection->requests : -1;
}

int main(int argc, char **argv)
{
    llhttp_settings_init(&settings);
    settings.on_header_field = field_begins_or_goes_on;
    settings.on_header_field_complete = field_named;
    settings.on_headers_complete = head_complete;
    settings.on_message_complete = request_complete;
    return http_loop(argc, argv);
}
