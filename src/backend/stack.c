/* SPDX-License-Identifier: MIT */
#include "backend/stack.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include <weft/error.h>
#include <weft/log.h>

#include "base/poison.h"

/* Since Linux 6.13; a guard of this kind is a mark in the page table, not a mapping. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#define LIMITS                                                                                                    \
    "the limits are vm.max_map_count (mappings of a process; before Linux 6.13 each stack takes two), RLIMIT_AS " \
    "and vm.overcommit_memory"

static atomic_bool guards_are_mappings;
static atomic_bool failure_logged; /* and nothing has succeeded since */

static int report(const char *what, int error)
{
    weft_log_field fields[] = {{.name = "error", .text = weft_bytes_from(weft_error_name(-error))}};

    if (!atomic_exchange(&failure_logged, true))
        weft_log_fields(WEFT_LOG_ERROR, "stack", fields, 1, "%s; " LIMITS, what);
    return -error;
}

static void succeeded(void)
{
    if (atomic_load_explicit(&failure_logged, memory_order_relaxed))
        atomic_store_explicit(&failure_logged, false, memory_order_relaxed);
}

size_t stack_page(void)
{
    static atomic_size_t page;
    size_t size = atomic_load_explicit(&page, memory_order_relaxed);

    if (size == 0) {
        size = (size_t)sysconf(_SC_PAGESIZE);
        atomic_store_explicit(&page, size, memory_order_relaxed);
    }
    return size;
}

int stack_map(size_t size, void **ret)
{
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

    if (memory == MAP_FAILED)
        return report("cannot map memory for stacks", errno);
    /* A huge page would make the first stack as expensive as thirty. MAP_STACK says so since Linux 6.7. */
    (void)madvise(memory, size, MADV_NOHUGEPAGE);
    *ret = memory;
    return 0;
}

void stack_unmap(void *memory, size_t size)
{
    memory_unpoison(memory, size);
    /* If that would split a mapping and no more are allowed, the addresses are lost, but not the memory. */
    if (munmap(memory, size) < 0)
        stack_discard(memory, size);
}

int stack_guard(void *page)
{
    if (!atomic_load_explicit(&guards_are_mappings, memory_order_relaxed)) {
        if (madvise(page, stack_page(), MADV_GUARD_INSTALL) == 0) {
            succeeded();
            return 0;
        }
        /* An older kernel, or memory that is locked: from now on in the other way. */
        atomic_store(&guards_are_mappings, true);
    }
    if (mprotect(page, stack_page(), PROT_NONE) < 0)
        return report("cannot make a guard page for a stack", errno);
    succeeded();
    return 0;
}

void stack_discard(void *memory, size_t size)
{
    (void)madvise(memory, size, MADV_DONTNEED);
}

void stack_guard_by_mapping(bool on)
{
    atomic_store(&guards_are_mappings, on);
}
