/* SPDX-License-Identifier: MIT */
/**
 * @file
 * What every public header needs: how a symbol is exported, how a result
 * that must not be ignored is marked, and how an embedded base is turned
 * back into the struct that holds it.
 */
#ifndef WEFT_API_H
#define WEFT_API_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
#define WEFT_API __attribute__((visibility("default")))
#define WEFT_NODISCARD __attribute__((warn_unused_result))
#define WEFT_PRINTF(string, first) __attribute__((__format__(__printf__, string, first)))
#else
#define WEFT_API
#define WEFT_NODISCARD
#define WEFT_PRINTF(string, first)
#endif

/**
 * @def WEFT_NONBLOCKING
 * Marks a function that neither waits nor allocates. clang from 20 on, with
 * -Wfunction-effects, holds its definition to that; elsewhere it says so to
 * readers only. (What is not marked may allocate; it does not wait unless its
 * comment says so.)
 */
#if defined(__has_attribute)
#if __has_attribute(nonblocking)
#define WEFT_NONBLOCKING __attribute__((nonblocking))
#endif
#endif
#ifndef WEFT_NONBLOCKING
#define WEFT_NONBLOCKING
#endif

#ifdef __cplusplus
#define WEFT_BEGIN_DECLS extern "C" {
#define WEFT_END_DECLS }
#else
#define WEFT_BEGIN_DECLS
#define WEFT_END_DECLS
#endif

/**
 * The struct of type @p type whose member @p member is at @p pointer.
 *
 * This is how a callback gets from the base that Weft knows (a
 * `weft_protocol`, a `weft_timer`) to the struct that the user embedded it in.
 */
#define weft_container_of(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
