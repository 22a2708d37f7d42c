/* SPDX-License-Identifier: MIT */
/* The laws of tests/laws with a host that runs the loop: each file here that includes this brings one. */
#ifndef ADAPTERS_LAW_KINDS_H
#define ADAPTERS_LAW_KINDS_H

#include "laws/law.h"

#define LAW_KINDS_IN(host_name, functions)                                                                        \
    const struct law_kind law_kinds[] = {                                                                         \
        {.name = "in " host_name ", tcp",                                                                         \
         .host = (functions),                                                                                     \
         .backend = "epoll",                                                                                      \
         .url = "tcp://127.0.0.1:0",                                                                              \
         .tells_reset = true},                                                                                    \
        {.name = "in " host_name ", unix", .host = (functions), .backend = "epoll", .url = "unix://@weft-law-%"}, \
        {.name = "in " host_name ", mem",                                                                         \
         .host = (functions),                                                                                     \
         .backend = "epoll",                                                                                      \
         .url = "mem://law",                                                                                      \
         .tells_reset = true,                                                                                     \
         .is_mem = true},                                                                                         \
        {.name = "in " host_name ", io_uring, tcp",                                                               \
         .host = (functions),                                                                                     \
         .backend = "io_uring",                                                                                   \
         .url = "tcp://127.0.0.1:0",                                                                              \
         .tells_reset = true,                                                                                     \
         .completes = true},                                                                                      \
        {.name = "in " host_name ", io_uring, unix",                                                              \
         .host = (functions),                                                                                     \
         .backend = "io_uring",                                                                                   \
         .url = "unix://@weft-law-%",                                                                             \
         .completes = true},                                                                                      \
        {.name = NULL},                                                                                           \
    }

#endif
