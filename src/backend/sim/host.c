/* SPDX-License-Identifier: MIT */
/* The hosts of a simulated world, their names and addresses, and the links between them (world.h). */
#include "backend/sim/world.h"

#include <string.h>

#include <weft/error.h>
#include <weft/memory.h>

#include "backend/sim/network.h"

/* Where a client's ports begin (RFC 6335, section 6). */
#define FIRST_PORT 49152

struct sim_host *sim_host_new(struct sim_world *world, const char *name)
{
    size_t length = strlen(name);
    struct sim_host *host = sim_allocate(world, sizeof *host + length + 1);

    if (!host)
        return NULL;
    memcpy(host->name, name, length);
    host->world = world;
    host->number = ++world->host_count;
    host->next_port = FIRST_PORT;
    sim_disk_init(&host->disk, world, &world->disks);
    weft_link_init(&host->ports);
    weft_link_init(&host->connections);
    weft_link_init(&host->datagrams);
    weft_link_init(&host->links);
    weft_link_init(&host->backends);
    weft_link_insert_before(&world->hosts, &host->link);
    return host;
}

void sim_host_free(struct sim_host *host)
{
    sim_connections_free(host);
    sim_disk_fini(&host->disk);
    while (!weft_link_is_alone(&host->links)) {
        struct sim_link *link = weft_container_of(host->links.next, struct sim_link, link);
        sim_event_cancel(host->world, &link->mend);
        weft_link_remove(&link->link);
        weft_release(link);
    }
    weft_link_remove(&host->link);
    weft_release(host);
}

struct sim_host *sim_host_named(const struct sim_world *world, weft_bytes name)
{
    for (weft_link *link = world->hosts.next; link != &world->hosts; link = link->next) {
        struct sim_host *host = weft_container_of(link, struct sim_host, link);
        if (weft_bytes_equal(weft_bytes_from(host->name), name))
            return host;
    }
    return NULL;
}

/* -- addresses -- */

uint16_t sim_host_next_port(struct sim_host *host)
{
    uint16_t port = host->next_port++;

    if (host->next_port == 0)
        host->next_port = FIRST_PORT;
    return port;
}

static const uint8_t private_v6[8] = {0xfd};

static bool is_loopback(const weft_address *address)
{
    static const uint8_t v6[16] = {[15] = 1};
    static const uint8_t any[16];

    if (address->family == WEFT_ADDRESS_IPV4)
        return address->ip[0] == 127 || memcmp(address->ip, any, 4) == 0;
    return memcmp(address->ip, v6, sizeof v6) == 0 || memcmp(address->ip, any, sizeof any) == 0;
}

/* The number of the host that has @p address; 0: nobody can have it. */
static unsigned number_of(const weft_address *address)
{
    const uint8_t *ip = address->ip;

    if (address->family == WEFT_ADDRESS_IPV4)
        return ip[0] == 10 ? (unsigned)ip[1] << 16 | (unsigned)ip[2] << 8 | ip[3] : 0;
    if (memcmp(ip, private_v6, sizeof private_v6) != 0)
        return 0;
    return (unsigned)ip[13] << 16 | (unsigned)ip[14] << 8 | ip[15];
}

struct sim_host *sim_host_at(struct sim_host *from, const weft_address *address)
{
    unsigned number = is_loopback(address) ? from->number : number_of(address);

    for (weft_link *link = from->world->hosts.next; link != &from->world->hosts; link = link->next) {
        struct sim_host *host = weft_container_of(link, struct sim_host, link);
        if (host->number == number)
            return host;
    }
    return NULL;
}

void sim_host_own_address(const struct sim_host *host, uint8_t family, weft_address *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->family = family;
    if (family == WEFT_ADDRESS_IPV4) {
        ret->ip[0] = 10;
        ret->ip[1] = (uint8_t)(host->number >> 16);
        ret->ip[2] = (uint8_t)(host->number >> 8);
        ret->ip[3] = (uint8_t)host->number;
        return;
    }
    memcpy(ret->ip, private_v6, sizeof private_v6);
    ret->ip[13] = (uint8_t)(host->number >> 16);
    ret->ip[14] = (uint8_t)(host->number >> 8);
    ret->ip[15] = (uint8_t)host->number;
}

void sim_host_address(const struct sim_host *host, const struct sim_host *peer, const weft_address *to,
                      weft_address *ret)
{
    uint16_t port = ret->port;

    if (host == peer && is_loopback(to)) {
        memcpy(ret->ip, to->ip, sizeof ret->ip);
        ret->family = to->family;
    } else
        sim_host_own_address(host, to->family, ret);
    ret->port = port;
}

/* -- names -- */

static weft_bytes without_dot(weft_bytes name)
{
    if (name.length > 1 && name.data[name.length - 1] == '.')
        name.length--;
    return name;
}

/* Names are compared as DNS does: without regard to case (RFC 4343). */
static const struct sim_host *host_called(const struct sim_world *world, weft_bytes name)
{
    for (const weft_link *link = world->hosts.next; link != &world->hosts; link = link->next) {
        const struct sim_host *host = weft_container_of(link, const struct sim_host, link);
        if (weft_bytes_equal_nocase(without_dot(weft_bytes_from(host->name)), name))
            return host;
    }
    return NULL;
}

static bool is_localhost(weft_bytes name)
{
    static const weft_bytes tail = WEFT_BYTES(".localhost");

    return weft_bytes_equal_nocase(name, weft_bytes_skip(tail, 1)) ||
           (name.length > tail.length &&
            weft_bytes_equal_nocase(weft_bytes_skip(name, name.length - tail.length), tail));
}

int sim_host_addresses(const struct sim_world *world, const char *text, weft_address *ret)
{
    weft_bytes name = without_dot(weft_bytes_from(text));
    const struct sim_host *host;

    memset(ret, 0, 2 * sizeof *ret);
    if (is_localhost(name)) {
        ret[0] = (weft_address){.family = WEFT_ADDRESS_IPV6, .ip = {[15] = 1}};
        ret[1] = (weft_address){.family = WEFT_ADDRESS_IPV4, .ip = {127, 0, 0, 1}};
        return 2;
    }
    host = host_called(world, name);
    if (!host)
        return WEFT_ENONAME;
    sim_host_own_address(host, WEFT_ADDRESS_IPV4, &ret[0]);
    sim_host_own_address(host, WEFT_ADDRESS_IPV6, &ret[1]);
    return 2;
}

/* -- links -- */

static void mend(struct sim_world *world, struct sim_event *event)
{
    (void)world;
    sim_link_cut(weft_container_of(event, struct sim_link, mend), false);
}

struct sim_link *sim_link_between(struct sim_host *a, struct sim_host *b)
{
    struct sim_host *low = a->number <= b->number ? a : b, *high = low == a ? b : a;
    struct sim_link *link;

    for (weft_link *at = low->links.next; at != &low->links; at = at->next) {
        link = weft_container_of(at, struct sim_link, link);
        if (link->ends[1] == high)
            return link;
    }
    link = sim_allocate(low->world, sizeof *link);
    if (!link)
        return NULL;
    link->ends[0] = low;
    link->ends[1] = high;
    sim_event_init(&link->mend, mend);
    weft_link_insert_before(&low->links, &link->link);
    return link;
}

void sim_link_cut(struct sim_link *link, bool cut)
{
    if (link->cut == cut)
        return;
    link->cut = cut;
    sim_note(link->ends[0]->world, cut ? "cut" : "mend", link->ends[0], link->ends[1]->number, 0, 0);
    sim_connections_of_link(link);
}
