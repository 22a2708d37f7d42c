/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Tells AddressSanitizer about memory that is kept but not in use, so that
 * recycling does not hide a use after free. Does nothing in other builds.
 */
#ifndef BASE_POISON_H
#define BASE_POISON_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BASE_POISON_ENABLED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define BASE_POISON_ENABLED 1
#endif

#if defined(BASE_POISON_ENABLED)
#include <sanitizer/asan_interface.h>
#define memory_poison(memory, size) __asan_poison_memory_region((memory), (size))
#define memory_unpoison(memory, size) __asan_unpoison_memory_region((memory), (size))
#else
#define memory_poison(memory, size) ((void)(memory), (void)(size))
#define memory_unpoison(memory, size) ((void)(memory), (void)(size))
#endif

#endif
