/* SPDX-License-Identifier: MIT */
/*
 * What stands behind the question mark of an endpoint (url.h). An option is
 * known, given once, for this scheme and this use, and has a value of its kind;
 * else it is refused at its place.
 */
#include "net/url_parse.h"

enum kind { NUMBER, TRUTH, DURATION, PERMISSIONS, NETWORKS, TEXT };

#define SOCKETS_OF_TCP (URL_TCP | URL_PROXIES)

/* docs/reference/endpoints.md has the same table, with what each means. */
static const struct option {
    const char *name;
    enum kind kind;
    int64_t least, most; /* NUMBER */
    uint32_t words;      /* any of these must be in the scheme */
    unsigned uses;
} options[URL_OPTIONS] = {
    [URL_BACKLOG] = {"backlog", NUMBER, 1, 65535, URL_TCP | URL_UNIX, URL_LISTEN},
    [URL_REUSEPORT] = {"reuseport", TRUTH, 0, 0, URL_TCP | URL_UDP, URL_LISTEN | URL_EXCHANGE},
    [URL_MODE] = {"mode", PERMISSIONS, 0, 0, URL_UNIX | URL_UNIXGRAM, URL_LISTEN | URL_EXCHANGE},
    [URL_CONNECTIONS] = {"connections", NUMBER, 1, INT32_MAX, URL_STREAMS, URL_LISTEN},
    [URL_PERADDRESS] = {"peraddress", NUMBER, 1, INT32_MAX, URL_TCP | URL_FD | URL_SYSTEM, URL_LISTEN},
    [URL_NODELAY] = {"nodelay", TRUTH, 0, 0, SOCKETS_OF_TCP, URL_LISTEN | URL_CONNECT},
    [URL_KEEPALIVE] = {"keepalive", DURATION, 0, 0, SOCKETS_OF_TCP, URL_LISTEN | URL_CONNECT},
    [URL_CONNECTTIME] = {"connect", DURATION, 0, 0, URL_TCP | URL_UNIX | URL_MEM | URL_PROXIES, URL_CONNECT},
    [URL_HANDSHAKE] = {"handshake", DURATION, 0, 0, URL_PROXY | URL_TLS | URL_PROXIES, URL_LISTEN | URL_CONNECT},
    [URL_IDLE] = {"idle", DURATION, 0, 0, URL_STREAMS, URL_LISTEN | URL_CONNECT},
    [URL_WRITESTALL] = {"writestall", DURATION, 0, 0, URL_STREAMS, URL_LISTEN | URL_CONNECT},
    [URL_LIFETIME] = {"lifetime", DURATION, 0, 0, URL_STREAMS, URL_LISTEN | URL_CONNECT},
    [URL_FROM] = {"from", NETWORKS, 0, 0, URL_PROXY, URL_LISTEN},
    [URL_VERSION] = {"version", NUMBER, 1, 2, URL_PROXY, URL_CONNECT},
    [URL_CERT] = {"cert", TEXT, 0, 0, URL_TLS, URL_LISTEN | URL_CONNECT},
    [URL_KEY] = {"key", TEXT, 0, 0, URL_TLS, URL_LISTEN | URL_CONNECT},
    [URL_ALPN] = {"alpn", TEXT, 0, 0, URL_TLS, URL_LISTEN | URL_CONNECT},
    [URL_CA] = {"ca", TEXT, 0, 0, URL_TLS, URL_LISTEN | URL_CONNECT},
    [URL_NAME] = {"name", TEXT, 0, 0, URL_TLS, URL_CONNECT},
};

const char *url_option_name(enum url_option option)
{
    return options[option].name;
}

static const struct option *find_option(weft_bytes name)
{
    for (size_t i = 0; i < URL_OPTIONS; i++)
        if (weft_bytes_equal(name, weft_bytes_from(options[i].name)))
            return &options[i];
    return NULL;
}

/* -- values -- */

static int parse_truth(struct url_parse *parse, weft_bytes text, int64_t *ret)
{
    if (weft_bytes_equal(text, weft_bytes_from("yes")))
        *ret = 1;
    else if (weft_bytes_equal(text, weft_bytes_from("no")))
        *ret = 0;
    else
        return url_fail(parse, text.data, "this is yes or no");
    return 0;
}

static int parse_number(struct url_parse *parse, weft_bytes text, const struct option *option, int64_t *ret)
{
    uint64_t value;

    if (weft_bytes_to_uint64(text, (uint64_t)option->most, &value) < 0 || value < (uint64_t)option->least)
        return url_fail(parse, text.data, "this is no number, or not one that the option can have");
    *ret = (int64_t)value;
    return 0;
}

static const struct unit {
    const char *name;
    weft_time time;
} units[] = {
    {"ms", WEFT_MILLISECONDS(1)}, {"s", WEFT_SECONDS(1)},    {"m", WEFT_MINUTES(1)},
    {"h", WEFT_MINUTES(60)},      {"d", WEFT_MINUTES(1440)},
};

static int parse_duration(struct url_parse *parse, weft_bytes text, int64_t *ret)
{
    size_t digits = 0;
    uint64_t value;

    if (weft_bytes_equal(text, weft_bytes_from("never"))) {
        *ret = WEFT_NEVER;
        return 0;
    }
    while (digits < text.length && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (!weft_bytes_equal(weft_bytes_skip(text, digits), weft_bytes_from(units[i].name)))
            continue;
        if (weft_bytes_to_uint64(weft_bytes_first(text, digits), (uint64_t)(WEFT_NEVER / units[i].time - 1), &value) <
                0 ||
            value == 0)
            return url_fail(parse, text.data, "this time is no number, or 0, or too long (\"never\" is none)");
        *ret = (int64_t)value * units[i].time;
        return 0;
    }
    return url_fail(parse, text.data + digits, "a time is a number with ms, s, m, h or d; or never");
}

static int parse_permissions(struct url_parse *parse, weft_bytes text, int64_t *ret)
{
    int64_t mode = 0;

    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '7' || i == 4)
            return url_fail(parse, text.data + i, "permissions are three octal digits, as 660");
        mode = mode << 3 | (text.data[i] - '0');
    }
    if (text.length < 3 || mode == 0 || mode > 0777)
        return url_fail(parse, text.data, "permissions are three octal digits, as 660");
    *ret = mode;
    return 0;
}

static int parse_list(struct url_parse *parse, weft_bytes text, int64_t *ret)
{
    weft_url_error wrong;
    int count = url_parse_networks(text, NULL, &wrong);

    if (count < 0)
        return url_fail(parse, text.data + wrong.offset, wrong.text);
    *ret = count;
    return 0;
}

static int parse_value(struct url_parse *parse, weft_bytes text, const struct option *option, int64_t *ret)
{
    if (text.length == 0)
        return url_fail(parse, text.data, "the option's value is missing");
    switch (option->kind) {
    case NUMBER:
        return parse_number(parse, text, option, ret);
    case TRUTH:
        return parse_truth(parse, text, ret);
    case DURATION:
        return parse_duration(parse, text, ret);
    case PERMISSIONS:
        return parse_permissions(parse, text, ret);
    case NETWORKS:
        return parse_list(parse, text, ret);
    default:
        return url_check_escapes(parse, text);
    }
}

/* -- options -- */

static int check_option(struct url_parse *parse, const char *at, const struct option *option, const struct url *url)
{
    if (!option)
        return url_fail(parse, at, "this option is not known");
    if (!(option->words & url->words))
        return url_fail(parse, at, "this scheme has no such option");
    if (!(option->uses & parse->use))
        return url_fail(parse, at,
                        parse->use == URL_CONNECT ? "this option is for whoever listens"
                                                  : "this option is for whoever connects");
    if (url_has(url, (enum url_option)(option - options)))
        return url_fail(parse, at, "this option was given already");
    return 0;
}

static int parse_option(struct url_parse *parse, weft_bytes text, struct url *url)
{
    size_t equals = weft_bytes_find(text, '=');
    weft_bytes name = weft_bytes_first(text, equals), value = weft_bytes_skip(text, equals + 1);
    const struct option *option = find_option(name);
    struct url_value found = {.text = value};
    int status;

    if (name.length == 0)
        return url_fail(parse, name.data, "the name of an option is missing");
    status = check_option(parse, name.data, option, url);
    if (status < 0)
        return status;
    if (equals == SIZE_MAX)
        return url_fail(parse, text.data + text.length, "= and the option's value are missing here");
    status = parse_value(parse, value, option, &found.number);
    if (status < 0)
        return status;
    url->given |= 1u << (option - options);
    url->options[option - options] = found;
    return 0;
}

/* What cannot be left out. */
static int check_complete(struct url_parse *parse, const struct url *url)
{
    const char *end = parse->query.data + parse->query.length;

    if ((url->words & URL_PROXY) && parse->use == URL_LISTEN && !url_has(url, URL_FROM))
        return url_fail(parse, end, "from= is missing: the networks whose PROXY headers are believed");
    return 0;
}

int url_parse_options(struct url_parse *parse, struct url *url)
{
    weft_bytes rest = weft_bytes_skip(parse->query, 1);
    bool more = parse->query.length > 0;

    while (more) {
        size_t end = weft_bytes_find(rest, '&');
        int status = parse_option(parse, weft_bytes_first(rest, end), url);

        if (status < 0)
            return status;
        more = end != SIZE_MAX;
        rest = weft_bytes_skip(rest, end + 1);
    }
    return check_complete(parse, url);
}
