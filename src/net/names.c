/* SPDX-License-Identifier: MIT */
#include "net/names.h"

#include <weft/memory.h>

#include "base/address_parse.h"
#include "loop/loop_internal.h"
#include "loop/scope_internal.h"

struct names_lookup {
    struct name_query query;
    weft_post post; /* its end */
    weft_scope_member member;
    weft_loop *loop;
    void (*done)(void *arg, int status, const weft_address *addresses, size_t count); /* NULL: forgotten */
    void *arg;
};

static bool is_localhost(weft_bytes host)
{
    static const weft_bytes name = WEFT_BYTES("localhost");
    size_t before;

    if (host.length > 0 && host.data[host.length - 1] == '.')
        host.length--;
    if (host.length < name.length)
        return false;
    before = host.length - name.length;
    return weft_bytes_equal_nocase(weft_bytes_skip(host, before), name) &&
           (before == 0 || host.data[before - 1] == '.');
}

static weft_bytes without_brackets(weft_bytes host)
{
    if (host.length > 2 && host.data[0] == '[' && host.data[host.length - 1] == ']')
        return weft_bytes_of(host.data + 1, host.length - 2);
    return host;
}

size_t names_at_once(weft_bytes host, weft_address *ret)
{
    memset(ret, 0, 2 * sizeof *ret);
    if (is_localhost(host)) {
        ret[0] = (weft_address){.family = WEFT_ADDRESS_IPV4, .ip = {127, 0, 0, 1}};
        ret[1] = (weft_address){.family = WEFT_ADDRESS_IPV6, .ip = {[15] = 1}};
        return 2;
    }
    if (address_parse_ipv4(host, ret[0].ip)) {
        ret[0].family = WEFT_ADDRESS_IPV4;
        return 1;
    }
    ret[0].family = WEFT_ADDRESS_IPV6;
    return address_parse_ipv6(without_brackets(host), ret[0].ip) ? 1 : 0;
}

/* -- looking up -- */

static void finished(struct name_query *query)
{
    struct names_lookup *lookup = weft_container_of(query, struct names_lookup, query);

    weft_loop_post(lookup->loop, &lookup->post);
}

/* Returns whether nobody has posted its end, and nobody will. */
static bool give_up(struct names_lookup *lookup)
{
    struct backend *backend = lookup->loop->backend;

    return backend->ops->name_cancel(backend, &lookup->query);
}

static void over(weft_post *post)
{
    struct names_lookup *lookup = weft_container_of(post, struct names_lookup, post);
    weft_scope *scope = lookup->member.scope;
    int status = weft_scope_cancelled(scope), result = lookup->query.result;

    (void)give_up(lookup); /* the thread that posted may still be about to wake the loop, which must not end before */
    lookup->loop->waiting--;
    if (status == 0 && result < 0)
        status = result;
    scope_pin(scope);
    scope_leave(&lookup->member);
    if (lookup->done) {
        loop_calls(lookup->loop, "name", (uintptr_t)lookup->done);
        lookup->done(lookup->arg, status, lookup->query.addresses, status < 0 ? 0 : (size_t)result);
    }
    weft_release(lookup);
    scope_unpin(scope);
}

static void withdraw(struct names_lookup *lookup)
{
    if (give_up(lookup))
        weft_loop_post(lookup->loop, &lookup->post);
}

static void cancelled(weft_scope_member *member, int reason)
{
    (void)reason;
    withdraw(weft_container_of(member, struct names_lookup, member));
}

static const struct scope_member_class lookup_class = {.kind = "name", .cancel = cancelled};

static int enter(struct names_lookup *lookup, weft_scope *scope)
{
    int status = scope_join(scope, &lookup->member, &lookup_class);

    if (status < 0)
        return status;
    lookup->loop = weft_scope_loop(scope);
    status = lookup->loop->backend->ops->name_submit(lookup->loop->backend, &lookup->query);
    if (status < 0)
        scope_leave(&lookup->member);
    else
        lookup->loop->waiting++;
    return status;
}

int names_start(weft_scope *scope, weft_bytes host,
                void (*done)(void *arg, int status, const weft_address *addresses, size_t count), void *arg,
                struct names_lookup **ret)
{
    struct names_lookup *lookup;
    int status;

    if (host.length == 0 || host.length > NAMES_LENGTH || memchr(host.data, '\0', host.length))
        return WEFT_ENONAME;
    lookup = weft_allocate_zeroed(1, sizeof *lookup);
    if (!lookup)
        return WEFT_ENOMEM;
    memcpy(lookup->query.host, host.data, host.length);
    lookup->query.finished = finished;
    lookup->post.run = over;
    lookup->done = done;
    lookup->arg = arg;
    status = enter(lookup, scope);
    if (status < 0) {
        weft_release(lookup);
        return status;
    }
    *ret = lookup;
    return 0;
}

void names_forget(struct names_lookup *lookup)
{
    lookup->done = NULL;
    withdraw(lookup);
}
