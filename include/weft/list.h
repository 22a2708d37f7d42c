/* SPDX-License-Identifier: MIT */
/**
 * @file
 * An intrusive, circular, doubly linked list. Every operation is O(1).
 *
 * A link that is in no list points to itself, so removing twice is harmless.
 */
#ifndef WEFT_LIST_H
#define WEFT_LIST_H

#include <stdbool.h>

#include <weft/api.h>

/** A place in a list, or the head of one. Embedded in what is listed. */
typedef struct weft_link {
    struct weft_link *next; /**< private */
    struct weft_link *prev; /**< private */
} weft_link;

/** Makes @p link a link in no list, or an empty head. */
static inline void weft_link_init(weft_link *link)
{
    link->next = link->prev = link;
}

/** Whether @p link is in no list (or, for a head, whether its list is empty). */
static inline bool weft_link_is_alone(const weft_link *link)
{
    return link->next == link;
}

/** Puts @p link, which is in no list, before @p place: at the end, if @p place is the head. */
static inline void weft_link_insert_before(weft_link *place, weft_link *link)
{
    link->next = place;
    link->prev = place->prev;
    place->prev->next = link;
    place->prev = link;
}

/** Takes @p link out of its list. */
static inline void weft_link_remove(weft_link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    weft_link_init(link);
}

/** Moves all that is in @p from to the end of @p to, in order. */
static inline void weft_link_splice(weft_link *to, weft_link *from)
{
    if (weft_link_is_alone(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    weft_link_init(from);
}

#endif
