/* SPDX-License-Identifier: MIT */
/*
 * Invariants: no node is before its parent; *node->link == node for each node in the heap; root->next is NULL.
 */
#include "base/heap.h"

void heap_init(struct heap *heap, heap_before *before)
{
    heap->root = NULL;
    heap->before = before;
    heap->count = 0;
}

void heap_node_init(struct heap_node *node)
{
    node->child = node->next = NULL;
    node->link = NULL;
}

bool heap_contains(const struct heap_node *node)
{
    return node->link != NULL;
}

struct heap_node *heap_first(const struct heap *heap)
{
    return heap->root;
}

static void attach(struct heap_node **link, struct heap_node *node)
{
    node->next = *link;
    if (node->next)
        node->next->link = &node->next;
    node->link = link;
    *link = node;
}

/* Takes @p node, with all below it, from where it hangs. */
static void detach(struct heap_node *node)
{
    *node->link = node->next;
    if (node->next)
        node->next->link = node->link;
    node->next = NULL;
    node->link = NULL;
}

/* Makes one tree of two that hang nowhere. @p a may be NULL. */
static struct heap_node *meld(const struct heap *heap, struct heap_node *a, struct heap_node *b)
{
    if (!a)
        return b;
    if (heap->before(b, a)) {
        struct heap_node *swap = a;
        a = b;
        b = swap;
    }
    attach(&a->child, b);
    return a;
}

static void set_root(struct heap *heap, struct heap_node *root)
{
    heap->root = root;
    if (root)
        root->link = &heap->root;
}

static struct heap_node *take_first(struct heap_node **list)
{
    struct heap_node *node = *list;
    if (node)
        detach(node);
    return node;
}

/*
 * Makes one tree of the children of a node: pairs are melded from left to right, then the pairs from right to left.
 * Both passes are loops, because a node may have as many children as the heap has nodes.
 */
static struct heap_node *meld_children(const struct heap *heap, struct heap_node *parent)
{
    struct heap_node *pairs = NULL;
    struct heap_node *tree = NULL;
    struct heap_node *node;

    while ((node = take_first(&parent->child))) {
        struct heap_node *other = take_first(&parent->child);
        attach(&pairs, meld(heap, other, node));
    }
    while ((node = take_first(&pairs)))
        tree = meld(heap, tree, node);
    return tree;
}

static void insert(struct heap *heap, struct heap_node *tree)
{
    struct heap_node *root = heap->root;
    if (root)
        detach(root);
    set_root(heap, meld(heap, root, tree));
}

/* Takes @p node alone out; what was below it stays. */
static void extract(struct heap *heap, struct heap_node *node)
{
    detach(node);
    struct heap_node *below = meld_children(heap, node);
    if (below)
        insert(heap, below);
}

void heap_add(struct heap *heap, struct heap_node *node)
{
    heap_node_init(node);
    insert(heap, node);
    heap->count++;
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    if (!heap_contains(node))
        return;
    extract(heap, node);
    heap->count--;
}

void heap_update(struct heap *heap, struct heap_node *node)
{
    extract(heap, node);
    insert(heap, node);
}
