/* SPDX-License-Identifier: MIT */
#include "net/names.h"

#include <weft/job.h>
#include <weft/memory.h>

#include "backend/names.h"
#include "net/url.h"

struct names_lookup {
    weft_job job;
    void (*done)(void *arg, int status, const weft_address *addresses, size_t count); /* NULL: forgotten */
    void *arg;
    int result;
    weft_address addresses[NAMES_MOST];
    char host[NAMES_LENGTH + 1];
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
    if (url_parse_ipv4(host, ret[0].ip)) {
        ret[0].family = WEFT_ADDRESS_IPV4;
        return 1;
    }
    ret[0].family = WEFT_ADDRESS_IPV6;
    return url_parse_ipv6(without_brackets(host), ret[0].ip) ? 1 : 0;
}

static void work(weft_job *job)
{
    struct names_lookup *lookup = weft_container_of(job, struct names_lookup, job);

    lookup->result = names_resolve(lookup->host, lookup->addresses, NAMES_MOST);
}

static void finish(weft_job *job, int status)
{
    struct names_lookup *lookup = weft_container_of(job, struct names_lookup, job);
    int result = status < 0 ? status : lookup->result;

    if (lookup->done)
        lookup->done(lookup->arg, result < 0 ? result : 0, lookup->addresses, result < 0 ? 0 : (size_t)result);
    weft_release(lookup);
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
    memcpy(lookup->host, host.data, host.length);
    lookup->done = done;
    lookup->arg = arg;
    status = weft_job_start(&lookup->job, scope, work, finish);
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
}
