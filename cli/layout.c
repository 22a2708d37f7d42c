/* SPDX-License-Identifier: MIT */
#include "layout.h"

#include <stdint.h>
#include <string.h>

#include "values.h"

enum { NARROWEST = 40, USUAL = 80, WIDEST = 100 };

static void begin_line(FILE *out, size_t column, size_t indent)
{
    if (column < indent)
        fprintf(out, "%*s", (int)(indent - column), "");
}

static size_t word_length(const char *text)
{
    size_t length = *text == '[' ? strcspn(text, "]") : 0;

    return length + strcspn(text + length, " \n");
}

void layout_print(FILE *out, const char *text, size_t column, size_t indent, size_t width)
{
    const char *space = "";

    if (column > indent) {
        fputc('\n', out);
        column = 0;
    }
    begin_line(out, column, indent);
    column = indent;
    while (*text) {
        size_t length = word_length(text);

        if (column > indent && column + strlen(space) + length > width) {
            fputc('\n', out);
            begin_line(out, 0, indent);
            column = indent;
            space = "";
        }
        fprintf(out, "%s%.*s", space, (int)length, text);
        column += strlen(space) + length;
        text += length;
        space = " ";
        if (*text == '\n') {
            fputc('\n', out);
            if (text[1] != '\n')
                begin_line(out, 0, indent);
            column = indent;
            space = "";
        }
        text += *text != '\0';
    }
    fputc('\n', out);
}

size_t layout_width(const char *columns)
{
    uint64_t width = USUAL;

    if (!columns || value_integer(columns, &width) < 0)
        return USUAL;
    if (width < NARROWEST)
        return NARROWEST;
    return width > WIDEST ? WIDEST : (size_t)width;
}
