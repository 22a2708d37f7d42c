/* SPDX-License-Identifier: MIT */
/*
 * A slab is one mapping with places for stacks of one size; those of a class
 * double from 16 places up to 16 MiB. A place was never used (its number is
 * `fresh` or above: it has no guard yet), or is out (taken, or free with its
 * memory: in its class's ring), or is free without memory: a bit in its slab.
 *
 *            take                        give
 *   fresh ---------> out: taken <----------------> out: in the ring
 *                      ^            take, the newest   | the oldest of more than STACK_KEPT
 *                      +--- free, without memory <-----+
 *                      take
 *
 * Nothing of this is noted in the stacks themselves, because writing there
 * would bring their memory back.
 */
#include "async/stack_pool.h"

#include <errno.h>
#include <string.h>

#include <weft/error.h>
#include <weft/list.h>
#include <weft/memory.h>

#include "base/poison.h"
#include "base/probe.h"

#define CLASSES 17 /* 16 KiB to 1 GiB */
#define FEWEST_PLACES 16
#define LARGEST_SLAB (16 * (size_t)1024 * 1024)
#define WORD 64

struct stack_slab {
    weft_link link; /* in one of its class's lists */
    char *low;
    size_t places, fresh, out;
    int watch;
    struct stack_class *class;
    uint64_t free[]; /* a bit for each place */
};

struct stack_class {
    size_t size, slabs;
    unsigned shift;          /* size is 1 << shift */
    weft_link open;          /* slabs with something out and something not */
    weft_link full;          /* all is out */
    struct stack_slab *idle; /* nothing is out: the one that is kept */
    size_t kept, newest;     /* the ring: how many, and where the last one is */
    struct {
        struct stack_slab *slab;
        size_t place;
    } ring[STACK_KEPT];
};

struct stack_pool {
    size_t taken, mapped;
    struct stack_class *classes[CLASSES];
};

/* -- slabs -- */

static size_t words_for(size_t places)
{
    return (places + WORD - 1) / WORD;
}

static size_t places_of_next_slab(const struct stack_class *class)
{
    size_t most = LARGEST_SLAB / class->size, places = FEWEST_PLACES;

    for (size_t i = 0; i < class->slabs && places < most; i++)
        places *= 2;
    return most == 0 ? 1 : places < most ? places : most;
}

static int slab_new(struct stack_pool *pool, struct stack_class *class, struct stack_slab **ret)
{
    size_t places = places_of_next_slab(class);
    struct stack_slab *slab = weft_allocate_zeroed(1, sizeof *slab + words_for(places) * sizeof slab->free[0]);
    void *memory;
    int status;

    if (!slab)
        return WEFT_ENOMEM;
    status = stack_map(places * class->size, &memory);
    if (status < 0) {
        weft_release(slab);
        return status;
    }
    slab->low = memory;
    slab->places = places;
    slab->class = class;
    slab->watch = stack_fault_watch(slab->low, class->size, places);
    weft_link_insert_before(&class->open, &slab->link);
    class->slabs++;
    pool->mapped += places * class->size;
    *ret = slab;
    return 0;
}

static void slab_free(struct stack_pool *pool, struct stack_slab *slab)
{
    size_t size = slab->places * slab->class->size;

    slab->class->slabs--;
    pool->mapped -= size;
    weft_link_remove(&slab->link);
    stack_fault_forget(slab->watch);
    stack_unmap(slab->low, size);
    weft_release(slab);
}

/* Finds a place that is not out; there is one. */
static int slab_take(struct stack_slab *slab, size_t *ret_place)
{
    for (size_t word = 0; word * WORD < slab->fresh; word++)
        if (slab->free[word]) {
            unsigned bit = (unsigned)__builtin_ctzll(slab->free[word]);
            slab->free[word] &= ~(UINT64_C(1) << bit);
            *ret_place = word * WORD + bit;
            return 0;
        }
    if (stack_guard(slab->low + slab->fresh * slab->class->size) < 0)
        return WEFT_ENOMEM;
    *ret_place = slab->fresh++;
    return 0;
}

static char *place_low(const struct stack_slab *slab, size_t place)
{
    return slab->low + place * slab->class->size + stack_page();
}

/* -- classes -- */

static struct stack_class *class_new(unsigned shift)
{
    struct stack_class *class = weft_allocate_zeroed(1, sizeof *class);

    if (!class)
        return NULL;
    class->size = (size_t)1 << shift;
    class->shift = shift;
    weft_link_init(&class->open);
    weft_link_init(&class->full);
    return class;
}

static void free_list(struct stack_pool *pool, weft_link *list)
{
    while (!weft_link_is_alone(list))
        slab_free(pool, weft_container_of(list->next, struct stack_slab, link));
}

static void class_free(struct stack_pool *pool, struct stack_class *class)
{
    if (!class)
        return;
    free_list(pool, &class->open);
    free_list(pool, &class->full);
    if (class->idle)
        slab_free(pool, class->idle);
    weft_release(class);
}

/* A slab that has places which are not out. */
static int open_slab(struct stack_pool *pool, struct stack_class *class, struct stack_slab **ret)
{
    if (weft_link_is_alone(&class->open) && class->idle) {
        weft_link_insert_before(&class->open, &class->idle->link);
        class->idle = NULL;
    }
    if (weft_link_is_alone(&class->open))
        return slab_new(pool, class, ret);
    *ret = weft_container_of(class->open.next, struct stack_slab, link);
    return 0;
}

/* Nothing of the slab is out. The first such slab of a class stays. */
static void retire(struct stack_pool *pool, struct stack_slab *slab)
{
    if (slab->class->idle) {
        slab_free(pool, slab);
        return;
    }
    weft_link_remove(&slab->link);
    slab->class->idle = slab;
}

static int take_without_memory(struct stack_pool *pool, struct stack_class *class, struct stack_slab **ret,
                               size_t *ret_place)
{
    struct stack_slab *slab;
    int status = open_slab(pool, class, &slab);

    if (status < 0)
        return status;
    status = slab_take(slab, ret_place);
    if (status < 0) {
        if (slab->out == 0)
            retire(pool, slab);
        return status;
    }
    if (++slab->out == slab->places) {
        weft_link_remove(&slab->link);
        weft_link_insert_before(&class->full, &slab->link);
    }
    *ret = slab;
    return 0;
}

static void give_with_memory(struct stack_pool *pool, struct stack_slab *slab, size_t place)
{
    stack_discard(place_low(slab, place), slab->class->size - stack_page());
    slab->free[place / WORD] |= UINT64_C(1) << place % WORD;
    if (slab->out-- == slab->places) {
        weft_link_remove(&slab->link);
        weft_link_insert_before(&slab->class->open, &slab->link);
    }
    if (slab->out == 0)
        retire(pool, slab);
}

/* -- the pool -- */

/* The class of stacks of at least @p size bytes, and their size as a power of two. */
static size_t class_of(size_t size, unsigned *ret_shift)
{
    size_t smallest = stack_page() * 4 > STACK_SMALLEST ? stack_page() * 4 : STACK_SMALLEST;
    unsigned first = (unsigned)__builtin_ctzl(smallest);

    *ret_shift = size <= smallest ? first : (unsigned)(8 * sizeof(long) - (size_t)__builtin_clzl(size - 1));
    return *ret_shift - first;
}

int stack_pool_new(struct stack_pool **ret)
{
    struct stack_pool *pool = weft_allocate_zeroed(1, sizeof *pool);

    if (!pool)
        return WEFT_ENOMEM;
    stack_fault_install();
    *ret = pool;
    return 0;
}

void stack_pool_free(struct stack_pool *pool)
{
    if (!pool)
        return;
    for (size_t i = 0; i < CLASSES; i++)
        class_free(pool, pool->classes[i]);
    weft_release(pool);
}

static void hand_out(struct stack_slab *slab, size_t place, struct stack *ret)
{
    *ret = (struct stack){
        .low = place_low(slab, place),
        .size = slab->class->size - stack_page() - sizeof(struct stack_top),
        .slab = slab,
    };
    memory_unpoison(ret->low, ret->size + sizeof(struct stack_top));
    stack_set_name(ret, NULL);
}

int stack_pool_take(struct stack_pool *pool, size_t size, struct stack *ret)
{
    struct stack_class **class, *found;
    struct stack_slab *slab;
    unsigned shift;
    size_t place;
    int status;

    if (size > STACK_LARGEST)
        return -EINVAL;
    stack_fault_prepare();
    class = &pool->classes[class_of(size ? size : STACK_DEFAULT, &shift)];
    if (!*class && !(*class = class_new(shift)))
        return WEFT_ENOMEM;
    found = *class;
    if (found->kept > 0 && !RARE("stack pool: nothing kept")) {
        slab = found->ring[found->newest].slab;
        place = found->ring[found->newest].place;
        found->newest = (found->newest + STACK_KEPT - 1) % STACK_KEPT;
        found->kept--;
    } else {
        status = take_without_memory(pool, found, &slab, &place);
        if (status < 0)
            return status;
    }
    pool->taken++;
    hand_out(slab, place, ret);
    return 0;
}

void stack_pool_give(struct stack_pool *pool, const struct stack *stack)
{
    struct stack_slab *slab = stack->slab;
    struct stack_class *class = slab->class;
    size_t place = (size_t)(stack->low - slab->low) >> class->shift;

    memory_poison(stack->low, stack->size + sizeof(struct stack_top));
    pool->taken--;
    class->newest = (class->newest + 1) % STACK_KEPT;
    if (class->kept == STACK_KEPT)
        give_with_memory(pool, class->ring[class->newest].slab, class->ring[class->newest].place);
    else
        class->kept++;
    class->ring[class->newest].slab = slab;
    class->ring[class->newest].place = place;
}

struct stack_pool_usage stack_pool_usage(const struct stack_pool *pool)
{
    struct stack_pool_usage usage = {.taken = pool->taken, .mapped = pool->mapped};

    for (size_t i = 0; i < CLASSES; i++)
        if (pool->classes[i]) {
            usage.slabs += pool->classes[i]->slabs;
            usage.kept += pool->classes[i]->kept;
        }
    return usage;
}

size_t stack_whole_size(const struct stack *stack)
{
    return stack->slab->class->size;
}
