/* SPDX-License-Identifier: MIT */
/* What a function prints, as a string. */
#ifndef WEFT_TESTS_CLI_CAPTURE_H
#define WEFT_TESTS_CLI_CAPTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct capture {
    FILE *out;
    char *text;
    size_t length;
};

static inline void capture_begin(struct capture *capture)
{
    capture->text = NULL;
    capture->out = open_memstream(&capture->text, &capture->length);
    assert_non_null(capture->out);
}

/* The caller frees capture->text. */
static inline const char *capture_end(struct capture *capture)
{
    assert_int_equal(fclose(capture->out), 0);
    return capture->text;
}

#endif
