/* SPDX-License-Identifier: MIT */
/* A connection's birth: its name is looked up, and its addresses are tried in their order (http_client.h). */
#include "families/http/http_client.h"

#include <inttypes.h>
#include <stdio.h>

#include <weft/memory.h>
#include <weft/tls.h>

#include "base/probe.h"

/* "tcp://[…]:65535" */
#define URL_ROOM (WEFT_ADDRESS_TEXT + 8)
/* A host's name with its NUL. */
#define NAME_ROOM 256

static struct http_link *link_new(weft_http_request *request)
{
    weft_http_client *client = request->client;
    struct http_link *link = weft_allocate_zeroed(1, sizeof *link);

    if (!link)
        return NULL;
    link->protocol.ops = &http_link_ops;
    link->client = client;
    link->host = request->host;
    link->request = request;
    http_pool_place_init(&link->place);
    weft_http1_parser_init(&link->parser, WEFT_HTTP1_RESPONSE, &client->limits);
    client->alive++;
    request->link = link;
    return link;
}

/* -- one attempt -- */

/* A response's head waits in the stream until it is complete. */
static size_t input_limit(const weft_http_client *client)
{
    size_t head = client->options.head_bytes;

    return head >= WEFT_UNLIMITED / 2 ? WEFT_UNLIMITED : head + 64 * 1024;
}

/* The client's own, or one with the defaults. */
static int tls_of(weft_http_client *client, weft_tls_client **ret)
{
    static const char *const alpn[] = {"http/1.1"};
    weft_tls_client_options options = {.size = sizeof options, .alpn = alpn, .alpn_count = 1};
    int status = client->tls ? 0 : weft_tls_client_new(&options, &client->tls, NULL);

    if (status == 0)
        *ret = client->tls;
    return status;
}

/* Whom the certificate must be for: an address without its brackets. */
static int tls_name(const struct http_url *url, char name[NAME_ROOM])
{
    weft_bytes host = url->host;

    if (host.length > 2 && host.data[0] == '[')
        host = weft_bytes_of(host.data + 1, host.length - 2);
    if (host.length >= NAME_ROOM)
        return WEFT_EURL;
    memcpy(name, host.data, host.length);
    name[host.length] = '\0';
    return 0;
}

static int attempt(struct http_link *link, const char *url, weft_time time)
{
    const weft_http_request *request = link->request;
    char name[NAME_ROOM];
    int status = 0;
    weft_stream_options options = {
        .size = sizeof options,
        .connect = time,
        .idle = WEFT_NEVER, /* the request has deadlines of its own, and so has an idle connection */
        .write_stall = link->client->options.send_time,
        .input_limit = input_limit(link->client),
    };

    if (request->url.secure) {
        status = tls_of(link->client, &options.tls);
        options.tls_name = name;
        if (status == 0)
            status = tls_name(&request->url, name);
    }
    if (status < 0)
        return status;
    return weft_stream_connect(link->client->scope, url, &link->protocol, &options, &link->stream, NULL);
}

/* The user may end the request, its client or its scope there. */
static bool ask_user(struct http_link *link, const weft_address *address)
{
    const weft_http_client_options *options = &link->client->options;
    bool allowed;

    if (!options->allow)
        return true;
    link->flags |= LINK_ASKING;
    allowed = options->allow(address, options->allow_arg);
    link->flags &= ~(uint32_t)LINK_ASKING;
    return allowed;
}

static bool is_allowed(struct http_link *link, const weft_address *address)
{
    weft_http_family family = link->client->options.family;

    if (family == WEFT_HTTP_ONLY_IPV4 && address->family != WEFT_ADDRESS_IPV4)
        return false;
    if (family == WEFT_HTTP_ONLY_IPV6 && address->family != WEFT_ADDRESS_IPV6)
        return false;
    return ask_user(link, address);
}

static void note(struct http_link *link, int error)
{
    if (link->connect_error == 0 || link->connect_error == WEFT_EADDRESS)
        link->connect_error = error;
}

/* The time that is left is shared by the addresses that are left. */
static weft_time share(const struct http_link *link)
{
    weft_time left =
        link->connect_due == WEFT_NEVER ? WEFT_NEVER : link->connect_due - weft_loop_now(link->client->loop);

    if (left == WEFT_NEVER)
        return left;
    left /= (weft_time)(link->address_count - link->address_next + 1);
    return left > WEFT_MILLISECONDS(1) ? left : WEFT_MILLISECONDS(1);
}

/* An IPv4 address in the dress of an IPv6 one (RFC 4291 §2.5.5.2) is what it leads to, for whoever may refuse it. */
static void undress(weft_address *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    if (address->family != WEFT_ADDRESS_IPV6 || memcmp(address->ip, mapped, sizeof mapped) != 0)
        return;
    address->family = WEFT_ADDRESS_IPV4;
    memmove(address->ip, address->ip + sizeof mapped, 4);
}

/* Begins an attempt at the next address that is allowed. Returns whether there was one, and nobody ended the request. */
static bool try_next(struct http_link *link)
{
    char text[WEFT_ADDRESS_TEXT], url[URL_ROOM];

    while (link->address_next < link->address_count) {
        weft_address *address = &link->addresses[link->address_next++];
        int status = WEFT_EADDRESS;

        address->port = link->request->url.port;
        undress(address);
        if (is_allowed(link, address) && link->request) {
            weft_address_text(address, text);
            snprintf(url, sizeof url, "tcp://%s", text);
            link->request->peer = *address;
            status = attempt(link, url, share(link));
        }
        if (status == 0)
            return true;
        note(link, status);
        if (!link->request)
            return false;
    }
    return false;
}

bool http_link_next(struct http_link *link, int reason)
{
    note(link, reason);
    link->stream = NULL;
    if (!link->request || !try_next(link))
        return false;
    PROBE("http client: another address of the server is tried");
    return true;
}

void http_link_connected(struct http_link *link)
{
    weft_release(link->addresses);
    link->addresses = NULL;
    link->address_count = link->address_next = 0;
}

/* -- the addresses -- */

static weft_time due_after(const weft_http_client *client, weft_time time)
{
    weft_time now = weft_loop_now(client->loop);

    return time >= WEFT_NEVER - now ? WEFT_NEVER : now + time;
}

/* Returns 0 if an attempt is under way, or an error. The request may be over then. */
static int try_addresses(struct http_link *link, const weft_address *addresses, size_t count)
{
    link->addresses = weft_allocate(count * sizeof *addresses);
    if (!link->addresses)
        return WEFT_ENOMEM;
    memcpy(link->addresses, addresses, count * sizeof *addresses);
    link->address_count = count;
    link->connect_due = due_after(link->client, link->client->options.connect_time);
    http_request_enter_phase(link->request, PHASE_CONNECT);
    return try_next(link) ? 0 : link->connect_error;
}

static void named(void *arg, int status, const weft_address *addresses, size_t count)
{
    struct http_link *link = arg;
    weft_http_request *request = link->request;

    link->lookup = NULL;
    if (status == 0)
        status = try_addresses(link, addresses, count);
    if (status < 0 && link->request)
        http_request_finish(request, status);
    else if (status < 0)
        http_link_free(link);
}

static int through(struct http_link *link)
{
    char url[256];
    weft_bytes to = link->request->through;

    if (to.length >= sizeof url)
        return WEFT_EURL;
    memcpy(url, to.data, to.length);
    url[to.length] = '\0';
    http_request_enter_phase(link->request, PHASE_CONNECT);
    return attempt(link, url, link->client->options.connect_time);
}

static int begin(struct http_link *link)
{
    weft_http_request *request = link->request;
    weft_address addresses[NAMES_MOST];
    size_t count;

    if (request->through.length > 0)
        return through(link);
    count = names_at_once(request->url.host, addresses);
    if (count > 0)
        return try_addresses(link, addresses, count);
    http_request_enter_phase(request, PHASE_NAME);
    return names_start(link->client->scope, request->url.host, named, link, &link->lookup);
}

int http_link_open(weft_http_request *request)
{
    struct http_link *link = link_new(request);
    int status;

    if (!link) {
        http_pool_unclaim(request->host);
        return WEFT_ENOMEM;
    }
    status = begin(link);
    if (status < 0) {
        request->link = NULL;
        link->request = NULL;
        http_link_free(link);
    }
    return status;
}
