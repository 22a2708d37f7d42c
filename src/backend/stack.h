/* SPDX-License-Identifier: MIT */
/*
 * Memory for stacks, with guard pages, and what happens to whoever runs into
 * one. Stacks come in slabs: @p count places of the same size, a power of two,
 * side by side. A place is
 *
 *     guard page | stack ... | struct stack_top
 *     low                                  low + size
 *
 * Everything here may be called in any thread.
 */
#ifndef BACKEND_STACK_H
#define BACKEND_STACK_H

#include <stdbool.h>
#include <stddef.h>

/* At the high end of a place, where its first page is in use anyway. */
struct stack_top {
    _Alignas(16) const char *name; /* what an overflow is reported as; NULL: no name. Stays valid while it is set */
};

/* The size of a page: of a guard, and what memory is counted in. */
size_t stack_page(void);

/* Maps @p size bytes, a multiple of the page. No memory is used before it is written to. Returns 0 or a negative error,
 * which is logged with the limits that it may be due to. */
int stack_map(size_t size, void **ret);
void stack_unmap(void *memory, size_t size);

/* Makes the page at @p page fault whoever touches it, until it is unmapped. Where the kernel cannot do that without a
 * mapping of its own for each guard (before Linux 6.13), vm.max_map_count allows about 32,000 of them; then this fails
 * with WEFT_ENOMEM and logs so. */
int stack_guard(void *page);

/* Gives the memory of whole pages back to the system. They read as zeros afterwards. */
void stack_discard(void *memory, size_t size);

/* For tests: guards as on an older kernel. */
void stack_guard_by_mapping(bool on);

/* stack_fault.c: the report of an overflow */

/* Installs the handler of SIGSEGV and SIGBUS, once for the process. If the program has one of its own, or installs it
 * later, that one stays alone, and overflows are not reported. */
void stack_fault_install(void);

/* Makes this thread fit for the report: it gets an alternative signal stack, unless it has one, until it ends, and
 * takes the two signals. Costs next to nothing when it was done before. */
void stack_fault_prepare(void);

/* From now on an overflow in the slab at @p low is reported. Returns a number for stack_fault_forget; -1 if too many
 * slabs are watched: it is not reported then. */
int stack_fault_watch(const void *low, size_t size, size_t count);
void stack_fault_forget(int number);

#endif
