/* SPDX-License-Identifier: MIT */
/* Where the memory of a process lies: the system draws it for each program that is started, or does not. And what it is
 * filled with before anybody has set it, as far as malloc is asked for it. */
#ifndef WEFT_CLI_SIM_LAYOUT_H
#define WEFT_CLI_SIM_LAYOUT_H

/* Has what this process executes next be laid out and filled the other way than this was. Returns 0 or a negative error: systems
 * forbid it; then it is only drawn anew. */
int sim_layout_change(void);

/* Executes this program again with the same arguments, laid out the other way. Returns only if that failed. */
int sim_layout_restart(void);

#endif
