/* SPDX-License-Identifier: MIT */
/* The cases of tests/peers/http/malformed.json, which says what they mean; tools/malformed_to_c.py makes the table. */
#ifndef WEFT_TESTS_WIRE_HTTP1_MALFORMED_H
#define WEFT_TESTS_WIRE_HTTP1_MALFORMED_H

#include <stddef.h>

struct malformed_case {
    const char *id;
    unsigned status;
    int closes; /* 1, 0, or -1 if either is right */
    unsigned responses;
    size_t length;
    const char *request;
};

extern const struct malformed_case malformed_cases[];
extern const size_t malformed_count;

#endif
