/* SPDX-License-Identifier: MIT */
/*
 * The parser of endpoint URLs (url.h). It is strict: what it does not know it
 * refuses, and points at the byte.
 */
#include "net/url.h"

#include <limits.h>

#include "net/url_parse.h"

/* What fits into a sockaddr_un, with its NUL. */
#define NAME_MOST 107
/* RFC 1929 §2: each has its length in one byte. */
#define CREDENTIAL_MOST 255
#define SOCKS_PORT 1080

static int fail(struct url_parse *parse, const char *at, int error, const char *text)
{
    if (parse->error)
        *parse->error = (weft_url_error){.offset = (size_t)(at - parse->text), .text = text};
    return error;
}

int url_fail(struct url_parse *parse, const char *at, const char *text)
{
    return fail(parse, at, WEFT_EURL, text);
}

/* -- %XX -- */

/* The byte that the escape at the begin of @p text stands for, or -1. */
static int escaped(weft_bytes text)
{
    int high, low;

    if (text.length < 3)
        return -1;
    high = url_hex_digit(text.data[1]);
    low = url_hex_digit(text.data[2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

int url_check_escapes(struct url_parse *parse, weft_bytes part)
{
    for (size_t i = 0; i < part.length; i++) {
        if (part.data[i] != '%')
            continue;
        switch (escaped(weft_bytes_skip(part, i))) {
        case -1:
            return url_fail(parse, part.data + i, "behind % there must be two hexadecimal digits (% itself is %25)");
        case 0:
            return url_fail(parse, part.data + i, "there can be no NUL");
        default:
            i += 2;
        }
    }
    return 0;
}

/* The length that @p part has when it is decoded. */
static size_t decoded_length(weft_bytes part)
{
    size_t length = part.length;

    for (size_t i = 0; i < part.length; i++)
        if (part.data[i] == '%')
            length -= 2;
    return length;
}

int url_text(weft_bytes raw, char *buffer, size_t room)
{
    size_t length = decoded_length(raw), at = 0;

    if (length >= room || length > INT_MAX)
        return -ENAMETOOLONG;
    for (size_t i = 0; i < raw.length; i++) {
        int byte = raw.data[i] == '%' ? escaped(weft_bytes_skip(raw, i)) : raw.data[i];

        if (raw.data[i] == '%')
            i += 2;
        buffer[at++] = (char)byte;
    }
    buffer[at] = '\0';
    return (int)length;
}

size_t url_escape(weft_bytes text, char *buffer, size_t room)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t length = 0;

    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool plain = c > ' ' && c < 127 && c != '%' && c != '?';

        if (length + (plain ? 1 : 3) >= room)
            break;
        if (plain) {
            buffer[length++] = (char)c;
            continue;
        }
        buffer[length++] = '%';
        buffer[length++] = digits[c >> 4];
        buffer[length++] = digits[c & 15];
    }
    buffer[length] = '\0';
    return length;
}

/* -- the carriers -- */

/* A slash may end the place, and nothing may be behind it. */
static int take_slash(struct url_parse *parse)
{
    size_t slash = weft_bytes_find(parse->rest, '/');

    if (slash == SIZE_MAX)
        return 0;
    if (slash + 1 != parse->rest.length)
        return url_fail(parse, parse->rest.data + slash + 1, "nothing may follow the port");
    parse->rest.length = slash;
    return 0;
}

static int parse_tcp(struct url_parse *parse, struct url *ret)
{
    unsigned may = URL_HOST_EMPTY | (parse->use == URL_CONNECT ? URL_HOST_NAME : 0u);
    struct url_host host;
    int status = take_slash(parse);

    if (status == 0)
        status = url_parse_authority(parse, parse->rest, may, -1, &host);
    if (status < 0)
        return status;
    ret->endpoint = (struct backend_endpoint){.address = host.address, .zone = host.zone};
    ret->name = host.name;
    ret->any = host.text.length == 0;
    if (ret->any)
        ret->endpoint.address.family = WEFT_ADDRESS_IPV6;
    return 0;
}

/* The byte of @p part that stands for byte @p index of what it means. */
static const char *at_decoded(weft_bytes part, size_t index)
{
    size_t i = 0;

    while (index-- > 0)
        i += part.data[i] == '%' ? 3 : 1;
    return part.data + i;
}

static int parse_path(struct url_parse *parse, const char *too_long, struct url *ret)
{
    int status = url_check_escapes(parse, parse->rest);

    if (status < 0)
        return status;
    if (url_text(parse->rest, ret->path, sizeof ret->path) < 0)
        return url_fail(parse, at_decoded(parse->rest, NAME_MOST), too_long);
    ret->endpoint.path.length = decoded_length(parse->rest);
    return 0;
}

static int parse_unix(struct url_parse *parse, struct url *ret)
{
    int status;

    if (parse->rest.length == 0)
        return url_fail(parse, parse->rest.data, "the path of the socket is missing (or @name, for an abstract one)");
    ret->endpoint.address.family = WEFT_ADDRESS_UNIX;
    status = parse_path(parse, "the path of a UNIX socket has at most 107 bytes", ret);
    if (status == 0 && strcmp(ret->path, "@") == 0) /* which may have been written as %40 */
        return url_fail(parse, parse->rest.data + parse->rest.length, "the name of the abstract socket is missing");
    return status;
}

static int parse_memory(struct url_parse *parse, struct url *ret)
{
    if (parse->rest.length == 0)
        return url_fail(parse, parse->rest.data, "the name is missing");
    ret->endpoint.address.family = WEFT_ADDRESS_MEMORY;
    return parse_path(parse, "the name has at most 107 bytes", ret);
}

static int parse_descriptor(struct url_parse *parse, struct url *ret)
{
    uint64_t value;

    if (weft_bytes_to_uint64(parse->rest, INT_MAX, &value) < 0)
        return url_fail(parse, parse->rest.data, "the number of an open descriptor is missing");
    ret->kind = URL_DESCRIPTOR;
    ret->fd = (int)value;
    return 0;
}

static int parse_stdio(struct url_parse *parse, struct url *ret)
{
    if (parse->rest.length > 0)
        return url_fail(parse, parse->rest.data, "nothing may follow \"stdio:\"");
    ret->kind = URL_STDIO;
    return 0;
}

/* sd_listen_fds(3): a name has at most 255 bytes, and no colon. */
static int parse_systemd(struct url_parse *parse, struct url *ret)
{
    for (size_t i = 0; i < parse->rest.length; i++)
        if (parse->rest.data[i] <= ' ' || parse->rest.data[i] > '~' || strchr(":/%", parse->rest.data[i]))
            return url_fail(parse, parse->rest.data + i, "the name of a socket of systemd cannot have this");
    if (parse->rest.length > 255)
        return url_fail(parse, parse->rest.data + 255, "the name of a socket of systemd has at most 255 bytes");
    ret->kind = URL_SYSTEMD;
    ret->service = parse->rest;
    return 0;
}

/* -- proxies -- */

static int check_credential(struct url_parse *parse, weft_bytes part)
{
    int status = url_check_escapes(parse, part);

    if (status < 0)
        return status;
    if (part.length == 0)
        return url_fail(parse, part.data, "this is empty: the user or the password is missing");
    if (decoded_length(part) > CREDENTIAL_MOST)
        return url_fail(parse, at_decoded(part, CREDENTIAL_MOST), "a user and a password have at most 255 bytes each");
    return 0;
}

/* RFC 7617 §2: a user with a colon could not be told from its password. */
static int check_basic_user(struct url_parse *parse, weft_bytes user)
{
    for (size_t i = 0; i < user.length; i++)
        if (user.data[i] == '%' && escaped(weft_bytes_skip(user, i)) == ':')
            return url_fail(parse, user.data + i, "a user of HTTP's Basic cannot have a colon");
    return 0;
}

static int parse_credentials(struct url_parse *parse, weft_bytes text, struct url *ret)
{
    size_t colon = weft_bytes_find(text, ':');
    int status;

    ret->user = weft_bytes_first(text, colon);
    status = check_credential(parse, ret->user);
    if (status < 0)
        return status;
    if (ret->words & URL_HTTP_CONNECT)
        status = check_basic_user(parse, ret->user);
    if (status < 0)
        return status;
    if (ret->words & URL_SOCKS4A)
        return colon == SIZE_MAX ? 0 : url_fail(parse, text.data + colon, "SOCKS 4 knows no password");
    if (colon == SIZE_MAX)
        return url_fail(parse, text.data + text.length, "a colon and the password are missing here");
    ret->password = weft_bytes_skip(text, colon + 1);
    return check_credential(parse, ret->password);
}

static int parse_target(struct url_parse *parse, weft_bytes text, struct url *ret)
{
    struct url_host host;
    int status = url_parse_authority(parse, text, URL_HOST_NAME | URL_HOST_ELSEWHERE, -1, &host);

    if (status < 0)
        return status;
    if (host.zone.length > 0 || host.address.scope_id)
        return url_fail(parse, text.data, "a zone is of this host, and not of the proxy's");
    if ((ret->words & URL_SOCKS4A) && host.address.family == WEFT_ADDRESS_IPV6)
        return url_fail(parse, text.data, "SOCKS 4 knows no IPv6 addresses");
    ret->target.host = host.text;
    ret->target.port = host.address.port;
    ret->target.family = host.address.family;
    memcpy(ret->target.ip, host.address.ip, sizeof ret->target.ip);
    return 0;
}

/* [user[:password]@]proxy[:port]/target:port */
static int parse_proxy(struct url_parse *parse, struct url *ret)
{
    size_t slash = weft_bytes_find(parse->rest, '/'), at;
    weft_bytes proxy = weft_bytes_first(parse->rest, slash), target = weft_bytes_skip(parse->rest, slash);
    struct url_host host;
    int status = 0;

    at = weft_bytes_find(proxy, '@');
    if (at != SIZE_MAX)
        status = parse_credentials(parse, weft_bytes_first(proxy, at), ret);
    if (status == 0)
        status = url_parse_authority(parse, at == SIZE_MAX ? proxy : weft_bytes_skip(proxy, at + 1), URL_HOST_NAME,
                                     ret->words & URL_HTTP_CONNECT ? -1 : SOCKS_PORT, &host);
    if (status < 0)
        return status;
    if (target.length == 0)
        return url_fail(parse, target.data, "a slash and the target, host:port, are missing here");
    ret->endpoint = (struct backend_endpoint){.address = host.address, .zone = host.zone};
    ret->name = host.name;
    return parse_target(parse, weft_bytes_skip(target, 1), ret);
}

/* -- the scheme -- */

#define BOTH (URL_LISTEN | URL_CONNECT)

static const struct carrier {
    const char *name;
    uint32_t word;
    unsigned uses;
    int (*parse)(struct url_parse *parse, struct url *ret);
} carriers[] = {
    {"tcp", URL_TCP, BOTH, parse_tcp},
    {"unix", URL_UNIX, BOTH, parse_unix},
    {"mem", URL_MEM, BOTH, parse_memory},
    {"fd", URL_FD, BOTH, parse_descriptor},
    {"systemd", URL_SYSTEM, URL_LISTEN, parse_systemd},
    {"udp", URL_UDP, URL_EXCHANGE, parse_tcp},
    {"unixgram", URL_UNIXGRAM, URL_EXCHANGE, parse_unix},
    {"socks4a", URL_SOCKS4A, URL_CONNECT, parse_proxy},
    {"socks5", URL_SOCKS5, URL_CONNECT, parse_proxy},
    {"socks5h", URL_SOCKS5, URL_CONNECT, parse_proxy},
    {"http-connect", URL_HTTP_CONNECT, URL_CONNECT, parse_proxy},
};
static const struct carrier standard = {"stdio", URL_STANDARD, BOTH, parse_stdio};
/* "tls://" alone. */
static const struct carrier tls_carrier = {"tls", URL_TCP | URL_TLS, BOTH, parse_tcp};

static const struct carrier *find_carrier(weft_bytes word)
{
    for (size_t i = 0; i < sizeof carriers / sizeof *carriers; i++)
        if (weft_bytes_equal_nocase(word, weft_bytes_from(carriers[i].name)))
            return &carriers[i];
    return weft_bytes_equal_nocase(word, weft_bytes_from("tls")) ? &tls_carrier : NULL;
}

bool url_is_scheme(weft_bytes name)
{
    return find_carrier(name) || weft_bytes_equal_nocase(name, weft_bytes_from(standard.name)) ||
           weft_bytes_equal_nocase(name, weft_bytes_from("proxy")) ||
           weft_bytes_equal_nocase(name, weft_bytes_from("exec"));
}

static const char *known(enum url_use use)
{
    switch (use) {
    case URL_LISTEN:
        return "it must begin with tcp://, tls://, unix://, systemd://, fd://, stdio: or mem://";
    case URL_CONNECT:
        return "it must begin with tcp://, tls://, unix://, socks5://, socks4a://, http-connect://, fd://, stdio: or "
               "mem://";
    default:
        return "it must begin with udp:// or unixgram://";
    }
}

static int check_use(struct url_parse *parse, const char *at, const struct carrier *carrier, const struct url *url)
{
    if (parse->use == URL_EXCHANGE && url->words)
        return fail(parse, parse->text, WEFT_ESCHEME, "there are no layers over datagrams");
    if (carrier->uses & parse->use)
        return 0;
    if (parse->use == URL_EXCHANGE)
        return fail(parse, at, WEFT_ESCHEME, known(URL_EXCHANGE));
    if (carrier->uses == URL_EXCHANGE)
        return fail(parse, at, WEFT_ESCHEME, "this is a place of datagrams, not of streams");
    return fail(parse, at, WEFT_ESCHEME,
                parse->use == URL_LISTEN ? "one can connect through this, but not listen"
                                         : "one can only listen at this");
}

/* A word before the last. */
static int parse_layer(struct url_parse *parse, weft_bytes word, struct url *ret)
{
    bool proxy = weft_bytes_equal_nocase(word, weft_bytes_from("proxy"));

    if (!proxy && !weft_bytes_equal_nocase(word, weft_bytes_from("tls")))
        return fail(parse, word.data, WEFT_ESCHEME, "this is no layer: proxy and tls are");
    if (proxy && ret->words)
        return url_fail(parse, word.data, "a PROXY header comes once, and before all else");
    if (!proxy && (ret->words & URL_TLS))
        return url_fail(parse, word.data, "there is tls already");
    ret->words |= proxy ? (uint32_t)URL_PROXY : (uint32_t)URL_TLS;
    return 0;
}

/* @p scheme is what stands before the colon. */
static int parse_words(struct url_parse *parse, weft_bytes scheme, const struct carrier **carrier, struct url *ret)
{
    weft_bytes word = scheme;
    size_t plus;
    int status;

    while ((plus = weft_bytes_find(word, '+')) != SIZE_MAX) {
        status = parse_layer(parse, weft_bytes_first(word, plus), ret);
        if (status < 0)
            return status;
        word = weft_bytes_skip(word, plus + 1);
    }
    if (!*carrier)
        *carrier = find_carrier(word);
    if (!*carrier)
        return fail(parse, word.data, WEFT_ESCHEME, known(parse->use));
    if (ret->words & (*carrier)->word & URL_TLS)
        return url_fail(parse, word.data, "there is tls already");
    status = check_use(parse, word.data, *carrier, ret);
    ret->words |= (*carrier)->word;
    return status;
}

/* "stdio:" and "exec:" have no slashes. */
static int parse_scheme(struct url_parse *parse, const struct carrier **carrier, struct url *ret)
{
    size_t colon = weft_bytes_find(parse->rest, ':');
    weft_bytes scheme = weft_bytes_first(parse->rest, colon), behind = weft_bytes_skip(parse->rest, colon + 1);
    size_t length = scheme.length, word;

    for (word = length; word > 0 && scheme.data[word - 1] != '+'; word--)
        ;
    if (colon == SIZE_MAX)
        return fail(parse, parse->text, WEFT_ESCHEME, known(parse->use));
    if (weft_bytes_equal_nocase(weft_bytes_skip(scheme, word), weft_bytes_from("exec")))
        return fail(parse, scheme.data + word, WEFT_ESCHEME, "exec: has no meaning yet");
    if (weft_bytes_equal_nocase(weft_bytes_skip(scheme, word), weft_bytes_from(standard.name)))
        *carrier = &standard;
    else if (!weft_bytes_starts_with(behind, weft_bytes_from("//")))
        return fail(parse, parse->text, WEFT_ESCHEME, known(parse->use));
    parse->rest = weft_bytes_skip(behind, *carrier ? 0 : 2);
    return parse_words(parse, scheme, carrier, ret);
}

static int parse_url(const char *text, enum url_use use, struct url *ret, weft_url_error *ret_error)
{
    struct url_parse parse = {.text = text, .rest = weft_bytes_from(text), .error = ret_error, .use = use};
    struct url found = {.kind = URL_SOCKET};
    const struct carrier *carrier = NULL;
    size_t question;
    int status = parse_scheme(&parse, &carrier, &found);

    if (status < 0)
        return status;
    question = weft_bytes_find(parse.rest, '?');
    parse.query = weft_bytes_skip(parse.rest, question);
    parse.rest = weft_bytes_first(parse.rest, question);
    status = carrier->parse(&parse, &found);
    if (status == 0)
        status = url_parse_options(&parse, &found);
    if (status < 0)
        return status;
    *ret = found;
    if (ret->endpoint.path.length > 0)
        ret->endpoint.path.data = ret->path;
    return 0;
}

int url_parse(const char *text, struct url *ret, weft_url_error *ret_error)
{
    return parse_url(text, URL_LISTEN, ret, ret_error);
}

int url_parse_peer(const char *text, struct url *ret, weft_url_error *ret_error)
{
    return parse_url(text, URL_CONNECT, ret, ret_error);
}

int url_parse_datagrams(const char *text, struct url *ret, weft_url_error *ret_error)
{
    return parse_url(text, URL_EXCHANGE, ret, ret_error);
}
