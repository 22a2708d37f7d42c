/* SPDX-License-Identifier: MIT */
/* /etc/resolv.conf: who is asked for names, and how (resolv.conf(5), as glibc reads it). */
#ifndef NET_RESOLV_CONF_H
#define NET_RESOLV_CONF_H

#include <weft/time.h>
#include <weft/wire/dns_name.h>

#define RESOLV_SERVERS 3 /* as glibc: further ones are ignored */
#define RESOLV_SEARCH 32 /* domains; glibc has no limit, and nobody waits for more */
#define RESOLV_ZONE 16   /* of the name of an interface, with its NUL */
#define RESOLV_NDOTS 15  /* limits of options, as glibc's */
#define RESOLV_TIMEOUT 30
#define RESOLV_ATTEMPTS 5

struct resolv_server {
    weft_address address;   /* its scope_id is set if the zone is a number */
    char zone[RESOLV_ZONE]; /* the interface of a link-local address, by name; "" if there is none */
};

struct resolv_conf {
    struct resolv_server servers[RESOLV_SERVERS];
    unsigned server_count; /* never 0: without a line it is this host, as glibc has it */
    weft_dns_name search[RESOLV_SEARCH];
    unsigned search_count;
    unsigned ndots;    /* a name with that many dots is first asked for as it is */
    unsigned attempts; /* rounds through the servers */
    weft_time timeout; /* of one server in the first round */
    bool rotate, use_tcp, edns, trust_ad, single_request, no_tld_query, no_aaaa;
};

/*
 * Reads the text of the file. There is no such thing as a wrong one: lines and words that are not understood are
 * skipped, numbers beyond their limits are cut to them.
 * @param host  this host's name: what follows its first dot is searched if the file has neither `domain` nor `search`;
 *              may be empty
 */
void resolv_conf_read(struct resolv_conf *conf, weft_bytes text, weft_bytes host);
/* Words as in an `options` line: what the environment's RES_OPTIONS adds. */
void resolv_conf_options(struct resolv_conf *conf, weft_bytes words);
/* Domains as in a `search` line, in the place of what there is: the environment's LOCALDOMAIN. */
void resolv_conf_search(struct resolv_conf *conf, weft_bytes words);

#endif
