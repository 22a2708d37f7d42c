/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Option structs that may grow: the first member of each is its size, as the
 * program knew it when it was compiled.
 */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include <stdbool.h>

#include <weft/api.h>

/**
 * Reads a caller's options over the defaults: what an older program's struct lacks stays as it was, and what a newer
 * program's has more must be zero, for it may not be ignored.
 *
 * @param to     a struct of @p known bytes that holds the defaults; its size is set to @p known
 * @param known  the size of the struct in this version
 * @param from   the caller's struct; NULL for the defaults
 * @return 0; -EINVAL if @p from says no size; -E2BIG if it asks for something that this version does not know. On an
 *         error @p to is untouched
 */
WEFT_NODISCARD int options_copy(void *to, size_t known, const void *from);

/** Whether a struct of @p size bytes was left out: options inside of other options need not say their size, if there is
 *  nothing else in them. */
bool options_left_out(const void *options, size_t size);

#endif
