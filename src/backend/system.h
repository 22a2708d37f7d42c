/* SPDX-License-Identifier: MIT */
/* Clocks and entropy of the real system, for every backend that runs on it. */
#ifndef BACKEND_SYSTEM_H
#define BACKEND_SYSTEM_H

#include "backend/backend.h"

weft_time system_now(struct backend *backend);
weft_time system_wall(struct backend *backend);
int system_entropy(struct backend *backend, void *memory, size_t length);

#endif
