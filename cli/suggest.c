/* SPDX-License-Identifier: MIT */
#include "suggest.h"

#include <stdint.h>
#include <string.h>

enum { LONGEST = 40, SHORTEST_PREFIX = 3 };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment, in three rows: @i-2, @i-1 and @i. */
size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][LONGEST + 1];

    if (a_length > LONGEST || b_length > LONGEST)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = smaller(smaller(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = smaller(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

struct suggestion suggestion_for(const char *word, size_t length)
{
    /* A third of the letters may be wrong; more would suggest what nobody meant. */
    return (struct suggestion){.word = word, .length = length, .distance = (length > 5 ? length / 3 : 1) + 1};
}

void suggestion_offer(struct suggestion *suggestion, const char *candidate)
{
    size_t length = strlen(candidate);
    size_t distance = edit_distance(suggestion->word, suggestion->length, candidate, length);

    if (suggestion->length >= SHORTEST_PREFIX && suggestion->length < length &&
        strncmp(suggestion->word, candidate, suggestion->length) == 0)
        distance = 1;
    if (distance < suggestion->distance) {
        suggestion->distance = distance;
        suggestion->best = candidate;
    }
}
