/* SPDX-License-Identifier: MIT */
/*
 * Conditional requests (RFC 9110 §13) against one existing representation.
 *
 * Evaluate them only where the answer without them would be 2xx (§13.2.1).
 */
#ifndef FAMILIES_HTTP_CONDITIONAL_H
#define FAMILIES_HTTP_CONDITIONAL_H

#include <weft/bytes.h>

/* A list may come in several field lines (§5.3); of more than these the rest matches nothing. */
enum { HTTP_CONDITION_LINES = 4 };

struct http_condition {
    size_t count; /* of field lines that came, of which the first HTTP_CONDITION_LINES are kept */
    weft_bytes lines[HTTP_CONDITION_LINES];
};

/* The conditions of one request. All zero is none. The values are borrowed until they have been evaluated. */
struct http_conditions {
    struct http_condition match;
    struct http_condition none_match;
    struct http_condition modified_since;
    struct http_condition unmodified_since;
    struct http_condition range;
};

/* Takes a field of the request, if it is a condition. Returns whether it is. */
bool http_conditions_add(struct http_conditions *conditions, weft_bytes name, weft_bytes value);

enum { HTTP_ETAG_ROOM = 48 };

/* What the answer says about the version of its representation. */
struct http_validators {
    char etag[HTTP_ETAG_ROOM]; /* with its quotes, and W/ if it is weak */
    int64_t modified;          /* Last-Modified, in seconds since 1970; never in the future (§8.8.2.1) */
};

/*
 * The validators of a file: the entity tag is made of its time of change and its size, in hexadecimal.
 *
 * The tag is strong, unless the file changed within the last two seconds: then it may change once more
 * without a new time, because clocks of file systems are coarse, and the tag is weak (§8.8.1).
 *
 * @modified_ns, @now_ns  wall-clock nanoseconds since 1970
 * @coding  the content coding of a precompressed file ("gz"), which needs a tag of its own (§8.8.3.3); or ""; at
 *          most 4 bytes, letters and digits
 */
struct http_validators http_validators_of(int64_t modified_ns, uint64_t size, const char *coding, int64_t now_ns);

enum http_condition_result {
    HTTP_CONDITIONS_MET = 200,
    HTTP_CONDITIONS_NOT_MODIFIED = 304,
    HTTP_CONDITIONS_FAILED = 412
};

/*
 * Evaluates all but If-Range, in the order of §13.2.2. Dates that cannot be read are ignored; a list of entity tags
 * that cannot be read matches nothing.
 *
 * @safe  the method is GET or HEAD
 * @now   in seconds since 1970
 */
enum http_condition_result http_conditions_evaluate(const struct http_conditions *conditions,
                                                    const struct http_validators *validators, bool safe, int64_t now);

/* Whether Range may be used: there is no If-Range, or what it names is exactly this version (§13.1.5). */
bool http_conditions_allow_range(const struct http_conditions *conditions, const struct http_validators *validators,
                                 int64_t now);

#endif
