/* SPDX-License-Identifier: MIT */
/**
 * @file
 * An intrusive heap: the least of many, found at once.
 *
 * It is a pairing heap (Fredman, Sedgewick, Sleator and Tarjan, 1986): adding
 * is O(1) and needs no memory, so it cannot fail; removing is O(log n),
 * amortised. Equals leave in no particular order, though in the same order
 * whenever the same calls were made: compare by age as well where it matters.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>

#include <weft/api.h>

/** A place in a heap; embedded in what is ordered. All private. */
struct heap_node {
    struct heap_node *child; /* the first of those below */
    struct heap_node *next;  /* the next with the same parent */
    struct heap_node **link; /* what points to this node; NULL if it is in no heap */
};

/** Whether @p a must leave before @p b. */
typedef bool heap_before(const struct heap_node *a, const struct heap_node *b);

struct heap {
    struct heap_node *root;
    heap_before *before;
    size_t count;
};

/** Makes an empty heap. */
void heap_init(struct heap *heap, heap_before *before);
/** Makes @p node a node in no heap. */
void heap_node_init(struct heap_node *node);
/** Whether @p node is in a heap. */
bool heap_contains(const struct heap_node *node);
/** The least node; NULL if there is none. */
struct heap_node *heap_first(const struct heap *heap);
/** Adds @p node, which is in no heap. */
void heap_add(struct heap *heap, struct heap_node *node);
/** Takes @p node out of @p heap. One that is in no heap stays so. */
void heap_remove(struct heap *heap, struct heap_node *node);
/** Puts @p node, which is in @p heap and whose order has changed, where it belongs. */
void heap_update(struct heap *heap, struct heap_node *node);

#endif
