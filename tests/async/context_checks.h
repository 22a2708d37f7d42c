/* SPDX-License-Identifier: MIT */
/*
 * What is checked of contexts, without a test library, so that it also runs
 * where there is none (under an emulator). A check returns NULL, or what is
 * wrong.
 */
#ifndef ASYNC_CONTEXT_CHECKS_H
#define ASYNC_CONTEXT_CHECKS_H

/* X(name): const char *check_name(void) */
#define CONTEXT_CHECKS(X)                            \
    X(entry_gets_its_argument_and_ends)              \
    X(switches_go_back_and_forth)                    \
    X(callee_saved_registers_are_kept)               \
    X(floating_point_words_are_kept_if_asked_for)    \
    X(floating_point_words_change_hands_between_two) \
    X(ten_contexts_nest)                             \
    X(stack_is_aligned)                              \
    X(stack_is_used_again_after_an_end_deep_within)  \
    X(context_that_never_ran_or_stopped_is_released) \
    X(unwinding_stops_at_the_entry)                  \
    X(context_goes_on_in_another_thread)             \
    X(million_switches)

#define CONTEXT_CHECK_DECLARE_(name) const char *check_##name(void);
CONTEXT_CHECKS(CONTEXT_CHECK_DECLARE_)
#undef CONTEXT_CHECK_DECLARE_

#endif
