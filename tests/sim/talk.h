/* SPDX-License-Identifier: MIT */
/* Clients of an echo server at 10.0.0.1, port 7, for worlds of several hosts. */
#ifndef TESTS_SIM_TALK_H
#define TESTS_SIM_TALK_H

#include "support/support.h"

#include <weft/task.h>

/* What each says. */
#define TALK_MESSAGES 20

/* How many messages were answered, to all of them. */
extern unsigned answered;

/* Says what it has to say, and checks what comes back; its connection may break, but what comes must be right. */
void talk(weft_task *me, void *unused);
/* A program that does so. */
int client_main(int argc, char **argv);

#endif
