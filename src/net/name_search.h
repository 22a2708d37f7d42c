/* SPDX-License-Identifier: MIT */
/* Which names are asked for when somebody says a short one: the search list of resolv.conf. */
#ifndef NET_NAME_SEARCH_H
#define NET_NAME_SEARCH_H

#include "net/resolv_conf.h"

/* What asking for one of the names came to. */
enum name_outcome {
    NAME_OUTCOME_NONE,    /* there is no such name */
    NAME_OUTCOME_NO_DATA, /* there is, but nothing of the wanted type */
    NAME_OUTCOME_FAILED   /* nobody could say */
};

/* The names that are still to be asked for, in their order. */
struct name_search {
    const struct resolv_conf *conf; /* until it is done */
    weft_dns_name name;             /* as it is, without a domain */
    unsigned step, last;
    bool plain_first, plain, domains;
    bool no_data, failed;
};

/*
 * Begins with what somebody said. With a dot at its end it is asked for as it is and in no other way; with `ndots` dots
 * in it, first as it is; with fewer, as it is at last.
 * @return 0; -EINVAL or -ENAMETOOLONG if it is no name
 */
int name_search_start(struct name_search *search, const struct resolv_conf *conf, weft_bytes text);
/* Gives the next name to ask for. Returns whether there is one. What would be too long is left out. */
bool name_search_next(struct name_search *search, weft_dns_name *ret);
/* Says what the last one came to, if it was no answer. */
void name_search_missed(struct name_search *search, enum name_outcome outcome);
/*
 * What all of them came to: no data outweighs a failure, for the name is known to exist, and a failure outweighs that
 * there is none, which may be wrong then.
 */
enum name_outcome name_search_result(const struct name_search *search);

#endif
