/* SPDX-License-Identifier: MIT */
#include "net/resolv_conf.h"

#include "base/address_parse.h"
#include "net/words.h"

/* -- servers -- */

/* The zone of a link-local address (RFC 4007 §11.2): a number, or the name of an interface. */
static bool read_zone(weft_bytes zone, struct resolv_server *server)
{
    uint64_t number;

    if (zone.length == 0 || zone.length >= RESOLV_ZONE)
        return false;
    if (weft_bytes_to_uint64(zone, UINT32_MAX, &number) == 0)
        server->address.scope_id = (uint32_t)number;
    else
        memcpy(server->zone, zone.data, zone.length);
    return true;
}

static void add_server(struct resolv_conf *conf, weft_bytes text)
{
    struct resolv_server server = {.address = {.port = 53}};
    size_t percent = weft_bytes_find(text, '%');

    if (conf->server_count == RESOLV_SERVERS)
        return;
    if (address_parse_ipv4(text, server.address.ip)) {
        server.address.family = WEFT_ADDRESS_IPV4;
    } else if (address_parse_ipv6(weft_bytes_first(text, percent), server.address.ip)) {
        server.address.family = WEFT_ADDRESS_IPV6;
        if (percent != SIZE_MAX && !read_zone(weft_bytes_skip(text, percent + 1), &server))
            return;
    } else {
        return;
    }
    conf->servers[conf->server_count++] = server;
}

/* -- options -- */

/* The number behind the colon of @p word, if it begins with @p name. Without a digit it is 0, as for atoi(3). */
static bool numbered(weft_bytes word, const char *name, unsigned least, unsigned most, unsigned *ret)
{
    weft_bytes prefix = weft_bytes_from(name), digits;
    uint64_t number = 0;
    size_t length = 0;

    if (!weft_bytes_starts_with(word, prefix))
        return false;
    digits = weft_bytes_skip(word, prefix.length);
    while (length < digits.length && digits.data[length] >= '0' && digits.data[length] <= '9')
        length++;
    digits = weft_bytes_first(digits, length);
    if (length > 0 && weft_bytes_to_uint64(digits, most, &number) < 0)
        number = most;
    *ret = number < least ? least : (unsigned)number;
    return true;
}

static void read_flag(struct resolv_conf *conf, weft_bytes word)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        {"rotate", &conf->rotate},
        {"use-vc", &conf->use_tcp},
        {"edns0", &conf->edns},
        {"trust-ad", &conf->trust_ad},
        {"single-request", &conf->single_request},
        {"single-request-reopen", &conf->single_request},
        {"no-tld-query", &conf->no_tld_query},
        {"no_tld_query", &conf->no_tld_query},
        {"no-aaaa", &conf->no_aaaa},
    };

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (weft_bytes_equal(word, weft_bytes_from(flags[i].name)))
            *flags[i].flag = true;
}

void resolv_conf_options(struct resolv_conf *conf, weft_bytes words)
{
    weft_bytes word;
    unsigned seconds;

    while (words_next(&words, &word)) {
        if (numbered(word, "timeout:", 1, RESOLV_TIMEOUT, &seconds))
            conf->timeout = WEFT_SECONDS(seconds);
        else if (!numbered(word, "ndots:", 0, RESOLV_NDOTS, &conf->ndots) &&
                 !numbered(word, "attempts:", 1, RESOLV_ATTEMPTS, &conf->attempts))
            read_flag(conf, word);
    }
}

/* -- the search list -- */

static void add_domain(struct resolv_conf *conf, weft_bytes word)
{
    if (conf->search_count < RESOLV_SEARCH && weft_dns_name_parse(word, NULL, &conf->search[conf->search_count]) == 0)
        conf->search_count++;
}

void resolv_conf_search(struct resolv_conf *conf, weft_bytes words)
{
    weft_bytes word;

    conf->search_count = 0;
    while (words_next(&words, &word))
        add_domain(conf, word);
}

/* -- the file -- */

static void read_line(struct resolv_conf *conf, weft_bytes line, bool *ret_domain)
{
    weft_bytes keyword, word;

    /* A keyword begins its line; what is indented is none, nor is a comment. */
    if (line.length == 0 || line.data[0] == ' ' || line.data[0] == '\t' || !words_next(&line, &keyword))
        return;
    if (weft_bytes_equal(keyword, weft_bytes_from("nameserver"))) {
        if (words_next(&line, &word))
            add_server(conf, word);
    } else if (weft_bytes_equal(keyword, weft_bytes_from("options"))) {
        resolv_conf_options(conf, line);
    } else if (weft_bytes_equal(keyword, weft_bytes_from("search"))) {
        resolv_conf_search(conf, line);
        *ret_domain = true;
    } else if (weft_bytes_equal(keyword, weft_bytes_from("domain")) && words_next(&line, &word)) {
        resolv_conf_search(conf, word);
        *ret_domain = true;
    }
}

void resolv_conf_read(struct resolv_conf *conf, weft_bytes text, weft_bytes host)
{
    size_t dot = weft_bytes_find(host, '.');
    bool domain = false;
    weft_bytes line;

    memset(conf, 0, sizeof *conf);
    conf->ndots = 1;
    conf->attempts = 2;
    conf->timeout = WEFT_SECONDS(5);
    while (lines_next(&text, &line))
        read_line(conf, line, &domain);
    if (!domain && dot != SIZE_MAX)
        resolv_conf_search(conf, weft_bytes_skip(host, dot + 1));
    if (conf->server_count == 0)
        add_server(conf, weft_bytes_from("127.0.0.1"));
}
