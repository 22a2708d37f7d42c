/* SPDX-License-Identifier: MIT */
/* "Did you mean …?": the nearest of some words to one that was mistyped. */
#ifndef WEFT_CLI_SUGGEST_H
#define WEFT_CLI_SUGGEST_H

#include <stddef.h>

struct suggestion {
    const char *word; /* what was typed */
    size_t length;
    const char *best; /* the nearest word so far; NULL if none is near enough to be meant */
    size_t distance;
};

/* Begins with nothing to suggest for the @length bytes at @word. */
struct suggestion suggestion_for(const char *word, size_t length);

/* Considers @candidate, which must outlive the suggestion. Of equally near words the first one stays. */
void suggestion_offer(struct suggestion *suggestion, const char *candidate);

/* How many insertions, deletions, changes and swaps of neighbours turn @a into @b. */
size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length);

#endif
