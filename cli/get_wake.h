/* SPDX-License-Identifier: MIT */
/* Waiting for a descriptor on a thread of jobs, where the loop can end the wait. */
#ifndef WEFT_CLI_GET_WAKE_H
#define WEFT_CLI_GET_WAKE_H

#include <stdbool.h>

struct get_wake {
    int fd;
};

/* Returns 0 or a negative error. */
int get_wake_init(struct get_wake *wake);
void get_wake_fini(struct get_wake *wake);

/* From now on, until it is cleared, waits end at once. */
void get_wake_raise(struct get_wake *wake);
void get_wake_clear(struct get_wake *wake);

/* Waits until @fd has what @events ask for (poll(2)), an error included; -1 waits for nothing. Returns 0 then or after
 * @timeout_ms (-1: never), or -ECANCELED. */
int get_wake_wait(const struct get_wake *wake, int fd, short events, int timeout_ms);

#endif
