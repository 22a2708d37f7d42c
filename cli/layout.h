/* SPDX-License-Identifier: MIT */
/* Text in columns. It is ASCII: a byte is a column. */
#ifndef WEFT_CLI_LAYOUT_H
#define WEFT_CLI_LAYOUT_H

#include <stddef.h>
#include <stdio.h>

/*
 * Prints @text in lines that begin at column @indent and do not reach past
 * column @width, where it is possible; what stands in brackets stays together.
 * The cursor stands at @column. A newline in @text begins a new line. Ends
 * with a newline.
 */
void layout_print(FILE *out, const char *text, size_t column, size_t indent, size_t width);

/* The width to write in: @columns (the environment's COLUMNS, may be NULL), between 40 and 100; 80 without it. */
size_t layout_width(const char *columns);

#endif
