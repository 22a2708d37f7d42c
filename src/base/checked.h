/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Arithmetic on sizes that says when it would overflow.
 *
 * Every size that is computed from what a peer sent goes through these. Each
 * returns whether the result fits; @p ret is set only if it does.
 */
#ifndef BASE_CHECKED_H
#define BASE_CHECKED_H

#include <stdbool.h>

#include <weft/api.h>

#define CHECKED_OPERATION_(name, type, builtin)                       \
    WEFT_NODISCARD static inline bool name(type a, type b, type *ret) \
    {                                                                 \
        type result;                                                  \
        if (builtin(a, b, &result))                                   \
            return false;                                             \
        *ret = result;                                                \
        return true;                                                  \
    }

CHECKED_OPERATION_(size_add, size_t, __builtin_add_overflow)
CHECKED_OPERATION_(size_subtract, size_t, __builtin_sub_overflow)
CHECKED_OPERATION_(size_multiply, size_t, __builtin_mul_overflow)
CHECKED_OPERATION_(uint64_add, uint64_t, __builtin_add_overflow)
CHECKED_OPERATION_(uint64_subtract, uint64_t, __builtin_sub_overflow)
CHECKED_OPERATION_(uint64_multiply, uint64_t, __builtin_mul_overflow)

#undef CHECKED_OPERATION_

/** @p value as a size_t, where it fits (always, if size_t has 64 bits). */
WEFT_NODISCARD static inline bool size_from_uint64(uint64_t value, size_t *ret)
{
    if (value > SIZE_MAX)
        return false;
    *ret = (size_t)value;
    return true;
}

#endif
