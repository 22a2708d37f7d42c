/* SPDX-License-Identifier: MIT */
/* Schemes that were added to a loop (weft/scheme.h). */
#include <weft/scheme.h>

#include <errno.h>

#include <weft/memory.h>

#include "loop/loop_internal.h"
#include "net/endpoint.h"

#define NAME_MOST 31
/* One may stand for another, but not for ever. */
#define STEPS_MOST 4

struct schemes {
    struct loop_slot slot;
    weft_link list;
};

static const char schemes_key;

static struct schemes *schemes_of(const weft_loop *loop)
{
    struct loop_slot *slot = loop_slot_find(loop, &schemes_key);

    return slot ? weft_container_of(slot, struct schemes, slot) : NULL;
}

static void destroy(struct loop_slot *slot)
{
    struct schemes *schemes = weft_container_of(slot, struct schemes, slot);

    while (!weft_link_is_alone(&schemes->list))
        weft_link_remove(schemes->list.next);
    weft_release(schemes);
}

static weft_scheme *find(const struct schemes *schemes, weft_bytes name)
{
    for (weft_link *link = schemes->list.next; link != &schemes->list; link = link->next) {
        weft_scheme *scheme = weft_container_of(link, weft_scheme, link);

        if (weft_bytes_equal_nocase(name, weft_bytes_from(scheme->ops->name)))
            return scheme;
    }
    return NULL;
}

static bool is_name(weft_bytes name)
{
    for (size_t i = 0; i < name.length; i++) {
        char c = name.data[i];
        bool letter = c >= 'a' && c <= 'z';

        if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '-' || c == '.')))
            return false;
    }
    return name.length > 0 && name.length <= NAME_MOST;
}

int weft_scheme_add(weft_loop *loop, weft_scheme *scheme)
{
    struct schemes *schemes = schemes_of(loop);
    weft_bytes name = weft_bytes_from(scheme->ops->name);

    if (!is_name(name))
        return -EINVAL;
    if (url_is_scheme(name) || (schemes && find(schemes, name)))
        return -EEXIST;
    if (!schemes) {
        schemes = weft_allocate_zeroed(1, sizeof *schemes);
        if (!schemes)
            return WEFT_ENOMEM;
        weft_link_init(&schemes->list);
        loop_slot_enter(loop, &schemes->slot, &schemes_key, destroy);
    }
    weft_link_insert_before(&schemes->list, &scheme->link);
    return 0;
}

void weft_scheme_remove(weft_scheme *scheme)
{
    if (scheme->link.next)
        weft_link_remove(&scheme->link);
}

/* -- following them -- */

/* The part of @p text that names the carrier: behind the layers, before the colon. */
static weft_bytes carrier_of(const char *text)
{
    weft_bytes scheme = weft_bytes_first(weft_bytes_from(text), weft_bytes_find(weft_bytes_from(text), ':'));
    size_t begin = scheme.length;

    while (begin > 0 && scheme.data[begin - 1] != '+')
        begin--;
    return weft_bytes_skip(scheme, begin);
}

static int give_up(weft_url_error *ret_error, const char *text)
{
    if (ret_error)
        *ret_error = (weft_url_error){.text = text};
    return WEFT_EURL;
}

/* Writes what @p text stands for into @p to. Returns 1; 0 if it stands for itself; or a negative error. */
static int step(const struct schemes *schemes, const char *text, char *to, weft_url_error *ret_error)
{
    weft_bytes name = carrier_of(text);
    weft_scheme *scheme = find(schemes, name);
    size_t layers = (size_t)(name.data - text);
    weft_url_error where = {0};
    int status;

    if (!scheme)
        return 0;
    if (layers >= ENDPOINT_TRANSLATED - 1)
        return give_up(ret_error, "what this stands for is too long");
    memcpy(to, text, layers);
    to[ENDPOINT_TRANSLATED - 1] = '\0';
    status = scheme->ops->translate(scheme, name.data, to + layers, ENDPOINT_TRANSLATED - layers, &where);
    if (status < 0 && ret_error && where.text)
        *ret_error = (weft_url_error){.offset = where.offset + layers, .text = where.text};
    if (status >= 0 && to[ENDPOINT_TRANSLATED - 1])
        return give_up(ret_error, "what this stands for is too long");
    return status < 0 ? status : 1;
}

/* Returns how many steps were made, or a negative error. */
static int translate(const struct schemes *schemes, const char *text, char buffer[ENDPOINT_TRANSLATED],
                     weft_url_error *ret_error)
{
    char next[ENDPOINT_TRANSLATED];
    int steps = 0, status;

    while ((status = step(schemes, steps ? buffer : text, next, steps ? NULL : ret_error)) > 0) {
        if (++steps > STEPS_MOST)
            return give_up(ret_error, "this stands for another, and that for another, without an end");
        memcpy(buffer, next, strlen(next) + 1);
    }
    if (status < 0 && steps > 0)
        return give_up(ret_error, "what this stands for is no endpoint");
    return status < 0 ? status : steps;
}

int endpoint_parse(const weft_scope *scope, const char *text,
                   int (*parse)(const char *text, struct url *ret, weft_url_error *ret_error),
                   char buffer[ENDPOINT_TRANSLATED], struct url *ret, weft_url_error *ret_error)
{
    const struct schemes *schemes = scope ? schemes_of(weft_scope_loop(scope)) : NULL;
    int steps = schemes ? translate(schemes, text, buffer, ret_error) : 0;

    if (steps < 0)
        return steps;
    if (steps == 0)
        return parse(text, ret, ret_error);
    return parse(buffer, ret, NULL) < 0 ? give_up(ret_error, "what this stands for is no endpoint") : 0;
}
