/* SPDX-License-Identifier: MIT */
/* Who is asked before the loop sleeps (weft/prepare.h). */
#include <weft/prepare.h>

#include "base/realtime.h"
#include "loop/loop_internal.h"
#include "loop/scope_internal.h"

static void prepare_cancel(weft_scope_member *member, int reason)
{
    (void)reason;
    weft_prepare_stop(weft_container_of(member, weft_prepare, member));
}

static const struct scope_member_class prepare_class = {.kind = "prepare", .idle = true, .cancel = prepare_cancel};

int weft_prepare_start(weft_prepare *prepare, weft_scope *scope, void (*sleeps)(weft_prepare *prepare))
{
    int status;

    *prepare = (weft_prepare){.sleeps = sleeps};
    weft_link_init(&prepare->member.link);
    status = scope_join(scope, &prepare->member, &prepare_class);
    if (status < 0)
        return status;
    weft_link_insert_before(&scope->loop->prepares, &prepare->link);
    return 0;
}

void weft_prepare_stop(weft_prepare *prepare)
{
    if (!prepare->member.scope)
        return;
    weft_link_remove(&prepare->link);
    scope_leave(&prepare->member);
}

/* Each may stop any, so the list is walked by moving each aside and back. */
void loop_sleeps(weft_loop *loop)
{
    weft_link waiting;

    weft_link_init(&waiting);
    weft_link_splice(&waiting, &loop->prepares);
    realtime_enter();
    while (!weft_link_is_alone(&waiting)) {
        weft_prepare *prepare = weft_container_of(waiting.next, weft_prepare, link);

        weft_link_remove(&prepare->link);
        weft_link_insert_before(&loop->prepares, &prepare->link);
        loop_calls(loop, "prepare", (uintptr_t)prepare->sleeps);
        prepare->sleeps(prepare);
    }
    realtime_leave();
    loop_enters(loop, NULL);
}
