/* SPDX-License-Identifier: MIT */
/* What floors above keep with a loop (loop_internal.h). They are few: a list is enough. */
#include "loop/loop_internal.h"

void loop_slot_enter(weft_loop *loop, struct loop_slot *slot, const void *key, void (*destroy)(struct loop_slot *slot))
{
    slot->key = key;
    slot->destroy = destroy;
    weft_link_insert_before(loop->slots.next, &slot->link);
}

struct loop_slot *loop_slot_find(const weft_loop *loop, const void *key)
{
    for (const weft_link *at = loop->slots.next; at != &loop->slots; at = at->next) {
        struct loop_slot *slot = weft_container_of(at, struct loop_slot, link);

        if (slot->key == key)
            return slot;
    }
    return NULL;
}

void loop_slot_leave(struct loop_slot *slot)
{
    if (slot->link.next)
        weft_link_remove(&slot->link);
}

void loop_slots_destroy(weft_loop *loop)
{
    while (!weft_link_is_alone(&loop->slots)) {
        struct loop_slot *slot = weft_container_of(loop->slots.next, struct loop_slot, link);

        weft_link_remove(&slot->link);
        if (slot->destroy)
            slot->destroy(slot);
    }
}
