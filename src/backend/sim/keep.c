/* SPDX-License-Identifier: MIT */
#include "backend/sim/keep.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <weft/bytes.h>
#include <weft/memory.h>

static int grow(struct sim_keep *keep, size_t size)
{
    unsigned char *bits;

    if (size <= keep->size)
        return 0;
    size = size < keep->size * 2 ? keep->size * 2 : size;
    bits = weft_reallocate(keep->bits, size);
    if (!bits)
        return -ENOMEM;
    memset(bits + keep->size, 0, size - keep->size);
    keep->bits = bits;
    keep->size = size;
    return 0;
}

int sim_keep_add(struct sim_keep *keep, uint64_t first, uint64_t last)
{
    int status;

    if (last > SIM_KEEP_GREATEST)
        return -ERANGE;
    status = grow(keep, (size_t)last / 8 + 1);
    if (status < 0)
        return status;
    for (uint64_t number = first; number <= last; number++)
        keep->bits[number / 8] |= (unsigned char)(1U << number % 8);
    return 0;
}

bool sim_keep_has(uint64_t number, void *keep)
{
    const struct sim_keep *self = keep;

    return number / 8 < self->size && (self->bits[number / 8] & 1U << number % 8);
}

void sim_keep_clear(struct sim_keep *keep)
{
    weft_release(keep->bits);
    *keep = (struct sim_keep){.bits = NULL, .size = 0};
}

/* Reads "12" or "12-40" at *at, and moves *at behind it. */
static int parse_range(struct sim_keep *keep, const char *text, size_t *at)
{
    size_t digits = strspn(text + *at, "0123456789"), more = 0;
    uint64_t first, last;

    if (weft_bytes_to_uint64(weft_bytes_of(text + *at, digits), SIM_KEEP_GREATEST, &first) < 0)
        return digits > 0 ? -ERANGE : -EINVAL;
    last = first;
    if (text[*at + digits] == '-') {
        *at += digits + 1;
        more = strspn(text + *at, "0123456789");
        if (weft_bytes_to_uint64(weft_bytes_of(text + *at, more), SIM_KEEP_GREATEST, &last) < 0)
            return more > 0 ? -ERANGE : -EINVAL;
        if (last < first)
            return -EINVAL;
        digits = more;
    }
    *at += digits;
    return sim_keep_add(keep, first, last);
}

int sim_keep_parse(struct sim_keep *keep, const char *text, size_t *ret_place)
{
    size_t at = 0;

    if (strcmp(text, "none") == 0)
        return 0;
    for (;;) {
        int status = parse_range(keep, text, &at);

        if (status == 0 && text[at] != '\0' && text[at] != ',')
            status = -EINVAL;
        if (status < 0) {
            *ret_place = at;
            return status;
        }
        if (text[at] == '\0')
            return 0;
        at++;
    }
}

/* Writes at @used of the buffer what fits. */
static size_t append(char *buffer, size_t size, size_t used, uint64_t first, uint64_t last)
{
    char *at = used < size ? buffer + used : NULL;
    size_t room = used < size ? size - used : 0;
    const char *comma = used > 0 ? "," : "";
    int length;

    if (first == last)
        length = snprintf(at, room, "%s%" PRIu64, comma, first);
    else
        length = snprintf(at, room, "%s%" PRIu64 "-%" PRIu64, comma, first, last);
    return used + (size_t)length;
}

size_t sim_keep_format(const struct sim_keep *keep, char *buffer, size_t size)
{
    struct sim_keep *self = (struct sim_keep *)(uintptr_t)keep;
    uint64_t end = (uint64_t)keep->size * 8;
    size_t used = 0;

    for (uint64_t first = 0; first < end; first++) {
        uint64_t last = first;

        if (!sim_keep_has(first, self))
            continue;
        while (last + 1 < end && sim_keep_has(last + 1, self))
            last++;
        used = append(buffer, size, used, first, last);
        first = last;
    }
    return used > 0 ? used : (size_t)snprintf(buffer, size, "none");
}
