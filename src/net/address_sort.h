/* SPDX-License-Identifier: MIT */
/*
 * Which of a name's addresses to try first: RFC 6724 §6, as a function of what is passed in.
 *
 * Which source address the system would take for a destination, and what it is like, the caller finds out.
 */
#ifndef NET_ADDRESS_SORT_H
#define NET_ADDRESS_SORT_H

#include <weft/address.h>

/* A line of the policy table (§2.1). IPv4 addresses stand in it as ::ffff:0:0/96. */
struct address_policy {
    uint8_t prefix[16];
    uint8_t length; /* bits */
    uint8_t precedence, label;
};

/* The default table of RFC 6724 §2.1. */
extern const struct address_policy address_policy_default[];
extern const size_t address_policy_default_count;

/* A destination, and how it would be reached. */
struct address_candidate {
    weft_address destination;
    weft_address source;   /* what the system would take; NONE: it cannot be reached */
    uint8_t source_prefix; /* bits that source and its network share; 0: 64 */
    bool deprecated;       /* the source (rule 3) */
    bool home, care_of;    /* the source, with Mobile IPv6 (rule 4) */
    bool encapsulated;     /* through a tunnel (rule 7) */
};

/*
 * Sorts @p candidates, the best first; what the rules say nothing of stays in its order (rule 10).
 *
 * Rule 9, the longest matching prefix, is for IPv6 only: with IPv4 it would undo what a server's round robin is for.
 * @param policy  NULL for the default
 */
void address_sort(struct address_candidate *candidates, size_t count, const struct address_policy *policy,
                  size_t policy_count);

/* The scope of an address (§3.1, §3.2; RFC 4291 §2.7): 2 link-local, 5 site-local, 14 global, a multicast's own. */
unsigned address_scope(const weft_address *address);
/* The line of the table for an address; NULL if there is none. */
const struct address_policy *address_policy_of(const weft_address *address, const struct address_policy *policy,
                                               size_t policy_count);

#endif
