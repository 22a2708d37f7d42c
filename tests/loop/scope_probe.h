/* SPDX-License-Identifier: MIT */
/* What the tests of scopes have in common: members that write down that they were cancelled. */
#ifndef LOOP_SCOPE_PROBE_H
#define LOOP_SCOPE_PROBE_H

#include <string.h>

#include <weft/scope.h>
#include <weft/timer.h>

#include "loop/loop_test.h"
#include "loop/scope_internal.h"

#define MS WEFT_MILLISECONDS(1)

/* A member that writes its letter down when it is cancelled; it stays until it is told to leave, or leaves at once. */
struct probe {
    weft_scope_member member;
    char letter;
    bool stays;
    int reason;
};

static char order[64];

static inline void write_letter(char letter)
{
    size_t length = strlen(order);

    assert_true(length + 1 < sizeof order);
    order[length] = letter;
    order[length + 1] = '\0';
}

static inline void probe_cancel(weft_scope_member *member, int reason)
{
    struct probe *probe = weft_container_of(member, struct probe, member);

    write_letter(probe->letter);
    probe->reason = reason;
    if (!probe->stays)
        scope_leave(member);
}

static const struct scope_member_class probe_class = {.kind = "probe", .cancel = probe_cancel};

static inline void probe_join(struct probe *probe, weft_scope *scope, char letter, bool stays)
{
    *probe = (struct probe){.letter = letter, .stays = stays};
    assert_int_equal(scope_join(scope, &probe->member, &probe_class), 0);
}

static inline weft_scope *open_in(weft_loop *loop)
{
    weft_scope *scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);

    assert_non_null(scope);
    return scope;
}

/* For a timer that only lets time pass. */
static inline void nothing(weft_timer *timer)
{
    (void)timer;
}

static inline int setup(void **state)
{
    order[0] = '\0';
    return support_setup(state);
}

#define scope_test(function) cmocka_unit_test_setup_teardown(function, setup, support_teardown)

#endif
