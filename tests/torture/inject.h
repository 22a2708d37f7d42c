/* SPDX-License-Identifier: MIT */
/** @file Makes the system calls of src/backend fail, one after the other (calls.h has the places). */
#ifndef TORTURE_INJECT_H
#define TORTURE_INJECT_H

#include <stdbool.h>
#include <stddef.h>

/** What is to fail. Places are told apart, since threads may come to theirs in any order. */
struct torture_fault {
    size_t place;   /**< in the list of all places, from 1; 0: none */
    size_t call;    /**< which of the calls that are made there from now, from 1 */
    unsigned error; /**< which of its errors, from 0 */
    bool lasting;   /**< and the calls of the same name that follow, wherever, too */
};

/** What became of it. */
struct torture_injected {
    size_t count;    /**< of calls that failed; 0: so many were not made */
    unsigned errors; /**< how many errors that call has */
    bool can_last;   /**< whether this one can go on for ever: an interruption cannot */
    char place[160]; /**< file, line, call and error */
};

/** From now on. */
void torture_inject(struct torture_fault fault);
/** No call fails any more; from any thread. */
void torture_inject_end(void);
/** Says what has become of it, when that is over. */
struct torture_injected torture_inject_over(void);
/** How many places there are. */
size_t torture_places(void);
/** The file, the line and the call of one of them, in a static buffer. */
const char *torture_place(size_t place);
/** How many calls were made at one of them since torture_inject. */
size_t torture_calls_at(size_t place);
/** How many calls failed since torture_inject. */
size_t torture_injected(void);

/** An older kernel, or a limit: the first @p times calls of @p call (a constant) fail with @p error, whatever else does,
 *  and are not counted. NULL: none does. */
void torture_lack(const char *call, int error, size_t times);

/** Whether, on this thread and with epoll, the clock is one that stands still while code runs and jumps where a loop
 *  would wait: what a scenario does with time is the same then, however busy the machine is. */
void torture_time_jumps(bool on);

/** Writes what was reached in @p points runs to the file that the environment's WEFT_TORTURE_REPORT names, if any. */
void torture_report(size_t points);

#endif
