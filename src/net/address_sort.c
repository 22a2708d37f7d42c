/* SPDX-License-Identifier: MIT */
#include "net/address_sort.h"

#define SCOPE_LINK 2
#define SCOPE_SITE 5
#define SCOPE_GLOBAL 14

const struct address_policy address_policy_default[] = {
    {{[15] = 1}, 128, 50, 0},                /* ::1 */
    {{0}, 0, 40, 1},                         /* everything else */
    {{[10] = 0xff, [11] = 0xff}, 96, 35, 4}, /* IPv4 */
    {{0x20, 0x02}, 16, 30, 2},               /* 6to4 */
    {{0x20, 0x01}, 32, 5, 5},                /* Teredo */
    {{0xfc}, 7, 3, 13},                      /* unique local */
    {{0}, 96, 1, 3},                         /* IPv4-compatible */
    {{0xfe, 0xc0}, 10, 1, 11},               /* site-local */
    {{0x3f, 0xfe}, 16, 1, 12},               /* 6bone */
};
const size_t address_policy_default_count = sizeof address_policy_default / sizeof *address_policy_default;

/* -- addresses -- */

/* As IPv6: an IPv4 address as ::ffff:a.b.c.d (§3.2). */
static void as_ipv6(const weft_address *address, uint8_t ret[16])
{
    if (address->family == WEFT_ADDRESS_IPV6) {
        memcpy(ret, address->ip, 16);
        return;
    }
    memset(ret, 0, 16);
    ret[10] = ret[11] = 0xff;
    memcpy(ret + 12, address->ip, 4);
}

/* How many bits at the front are the same. */
static unsigned common_bits(const uint8_t *a, const uint8_t *b)
{
    unsigned bits = 0;

    while (bits < 128 && !((a[bits / 8] ^ b[bits / 8]) & 0x80 >> bits % 8))
        bits++;
    return bits;
}

static unsigned scope_of_ipv4(const uint8_t *ip)
{
    return ip[0] == 127 || (ip[0] == 169 && ip[1] == 254) ? SCOPE_LINK : SCOPE_GLOBAL;
}

unsigned address_scope(const weft_address *address)
{
    static const uint8_t loopback[16] = {[15] = 1}, mapped[12] = {[10] = 0xff, [11] = 0xff};
    const uint8_t *ip = address->ip;

    if (address->family == WEFT_ADDRESS_IPV4)
        return scope_of_ipv4(ip);
    if (ip[0] == 0xff)
        return ip[1] & 15;
    if (memcmp(ip, loopback, 16) == 0 || (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80))
        return SCOPE_LINK;
    if (ip[0] == 0xfe && (ip[1] & 0xc0) == 0xc0)
        return SCOPE_SITE;
    return memcmp(ip, mapped, 12) == 0 ? scope_of_ipv4(ip + 12) : SCOPE_GLOBAL;
}

const struct address_policy *address_policy_of(const weft_address *address, const struct address_policy *policy,
                                               size_t policy_count)
{
    const struct address_policy *best = NULL;
    uint8_t ip[16];

    as_ipv6(address, ip);
    for (size_t i = 0; i < policy_count; i++)
        if (common_bits(ip, policy[i].prefix) >= policy[i].length && (!best || policy[i].length > best->length))
            best = &policy[i];
    return best;
}

/* -- rules -- */

/* What the rules look at. */
struct traits {
    struct address_candidate candidate;
    bool usable, same_scope, same_label;
    unsigned scope, precedence, matching;
};

static void look_at(struct traits *traits, const struct address_candidate *candidate,
                    const struct address_policy *policy, size_t policy_count)
{
    const struct address_policy *to = address_policy_of(&candidate->destination, policy, policy_count), *from;
    uint8_t a[16], b[16];
    unsigned most = candidate->source_prefix ? candidate->source_prefix : 64;

    *traits = (struct traits){.candidate = *candidate};
    traits->usable = candidate->source.family != WEFT_ADDRESS_NONE;
    traits->scope = address_scope(&candidate->destination);
    traits->precedence = to ? to->precedence : 0;
    if (!traits->usable)
        return;
    from = address_policy_of(&candidate->source, policy, policy_count);
    traits->same_scope = address_scope(&candidate->source) == traits->scope;
    traits->same_label = to && from && to->label == from->label;
    as_ipv6(&candidate->destination, a);
    as_ipv6(&candidate->source, b);
    traits->matching = common_bits(a, b) < most ? common_bits(a, b) : most;
}

/* Rule 4: a home address that is a care-of address as well is best, a home address comes before a care-of address. */
static int at_home(const struct traits *traits)
{
    if (traits->candidate.home)
        return traits->candidate.care_of ? 3 : 2;
    return traits->candidate.care_of ? 0 : 1;
}

static int compare(bool a, bool b)
{
    return (int)b - (int)a;
}

/* Negative if @p a comes first, 0 if no rule says anything. */
static int order(const struct traits *a, const struct traits *b)
{
    int result = compare(a->usable, b->usable); /* 1 */

    if (result == 0)
        result = compare(a->same_scope, b->same_scope); /* 2 */
    if (result == 0)
        result = compare(b->candidate.deprecated, a->candidate.deprecated); /* 3 */
    if (result == 0)
        result = at_home(b) - at_home(a); /* 4 */
    if (result == 0)
        result = compare(a->same_label, b->same_label); /* 5 */
    if (result == 0)
        result = (int)b->precedence - (int)a->precedence; /* 6 */
    if (result == 0)
        result = compare(b->candidate.encapsulated, a->candidate.encapsulated); /* 7 */
    if (result == 0)
        result = (int)a->scope - (int)b->scope; /* 8 */
    if (result == 0 && a->candidate.destination.family == WEFT_ADDRESS_IPV6 &&
        b->candidate.destination.family == WEFT_ADDRESS_IPV6)
        result = (int)b->matching - (int)a->matching; /* 9 */
    return result;
}

void address_sort(struct address_candidate *candidates, size_t count, const struct address_policy *policy,
                  size_t policy_count)
{
    if (!policy) {
        policy = address_policy_default;
        policy_count = address_policy_default_count;
    }
    /* An insertion sort: it is stable, and there are a few dozens at most. */
    for (size_t i = 1; i < count; i++) {
        struct address_candidate moved = candidates[i];
        struct traits mine, other;
        size_t at = i;

        look_at(&mine, &moved, policy, policy_count);
        for (; at > 0; at--) {
            look_at(&other, &candidates[at - 1], policy, policy_count);
            if (order(&mine, &other) >= 0)
                break;
            candidates[at] = candidates[at - 1];
        }
        candidates[at] = moved;
    }
}
