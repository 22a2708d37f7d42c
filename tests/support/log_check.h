/* SPDX-License-Identifier: MIT */
/** @file The part of the recording log that only the test kit itself uses. */
#ifndef SUPPORT_LOG_CHECK_H
#define SUPPORT_LOG_CHECK_H

#include <stddef.h>

/** Prints each warning that nobody expected and each expectation that was not met, and forgets all. @return how many */
size_t log_check_surprises(void);

#endif
