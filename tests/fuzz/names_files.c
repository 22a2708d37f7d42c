/* SPDX-License-Identifier: MIT */
/*
 * The files that say how names are looked up: a hosts file up to the first zero octet, a resolv.conf behind it. Whatever
 * stands in them, what is made of it keeps its bounds, and is found again.
 */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "net/hosts.h"
#include "net/name_search.h"

static void demand(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

static void check_hosts(weft_bytes text)
{
    static const uint8_t secret[SIPHASH_KEY_SIZE] = {1};
    weft_address found[8], loopback = {.family = WEFT_ADDRESS_IPV4, .ip = {127, 0, 0, 1}};
    struct hosts *hosts;
    weft_bytes name;

    demand(hosts_new(text, secret, &hosts) == 0, "there is memory");
    demand(hosts_complete(hosts), "a small file is read whole");
    demand(hosts_count(hosts) <= text.length, "a name has at least a byte");
    name = hosts_name_of(hosts, &loopback);
    if (name.length > 0)
        demand(hosts_find(hosts, name, found, 8) > 0, "the name of an address has an address");
    for (size_t i = 0; i < text.length; i += 7)
        demand(hosts_find(hosts, weft_bytes_first(weft_bytes_skip(text, i), 9), found, 8) <= 8, "the room is kept to");
    hosts_free(hosts);
}

static void check_search(const struct resolv_conf *conf, weft_bytes text)
{
    struct name_search search;
    weft_dns_name name;
    unsigned count = 0;

    if (name_search_start(&search, conf, text) < 0)
        return;
    for (; name_search_next(&search, &name); count++)
        demand(name.length > 0 && name.octets[name.length - 1] == 0, "what is asked for is a name");
    demand(count >= 1 && count <= conf->search_count + 1, "each is asked for once, and one at least");
}

static void check_conf(weft_bytes text)
{
    struct resolv_conf conf;

    resolv_conf_read(&conf, text, weft_bytes_from("host.example"));
    demand(conf.server_count >= 1 && conf.server_count <= RESOLV_SERVERS, "there are one to three servers");
    demand(conf.search_count <= RESOLV_SEARCH, "domains are bounded");
    demand(conf.ndots <= RESOLV_NDOTS, "ndots is bounded");
    demand(conf.attempts >= 1 && conf.attempts <= RESOLV_ATTEMPTS, "attempts are bounded");
    demand(conf.timeout >= WEFT_SECONDS(1) && conf.timeout <= WEFT_SECONDS(RESOLV_TIMEOUT), "time is bounded");
    for (unsigned i = 0; i < conf.server_count; i++)
        demand(strnlen(conf.servers[i].zone, RESOLV_ZONE) < RESOLV_ZONE, "a zone ends");
    conf.no_tld_query = false;
    check_search(&conf, weft_bytes_from("a"));
    check_search(&conf, weft_bytes_first(text, 20));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weft_bytes input = weft_bytes_of(data, size);
    size_t zero = weft_bytes_find(input, '\0');

    check_hosts(weft_bytes_first(input, zero));
    check_conf(zero == SIZE_MAX ? input : weft_bytes_skip(input, zero + 1));
    return 0;
}
