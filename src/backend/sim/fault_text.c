/* SPDX-License-Identifier: MIT */
#include "backend/sim/fault_text.h"

#include <errno.h>
#include <string.h>

#include <weft/bytes.h>

#define MILLION 1000000
#define LONGEST WEFT_HOURS(24)

struct part {
    const char *at;
    size_t length;
};

static int wrong(struct sim_faults_error *error, const char *text, struct part part, const char *reason)
{
    *error = (struct sim_faults_error){.place = (size_t)(part.at - text), .length = part.length, .reason = reason};
    return -EINVAL;
}

static int read_number(struct part part, uint64_t maximum, uint64_t *ret)
{
    return weft_bytes_to_uint64(weft_bytes_of(part.at, part.length), maximum, ret);
}

static bool ends_with(struct part part, const char *end)
{
    size_t length = strlen(end);

    return part.length > length && memcmp(part.at + part.length - length, end, length) == 0;
}

/* "80ms": digits and a unit; "0" needs none. */
static int read_time(struct part part, weft_time *ret)
{
    static const struct {
        const char *name;
        weft_time unit;
    } units[] = {{"ns", 1}, {"us", WEFT_MICROSECONDS(1)}, {"ms", WEFT_MILLISECONDS(1)}, {"s", WEFT_SECONDS(1)}};
    uint64_t number;

    if (part.length == 1 && *part.at == '0') {
        *ret = 0;
        return 0;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        struct part digits = {part.at, part.length - strlen(units[i].name)};

        if (!ends_with(part, units[i].name))
            continue;
        if (read_number(digits, (uint64_t)(LONGEST / units[i].unit), &number) < 0)
            return -EINVAL;
        *ret = (weft_time)number * units[i].unit;
        return 0;
    }
    return -EINVAL;
}

/* "1ms-80ms", or "5ms" for exactly that. */
static int read_latency(struct part part, weft_time ret[2])
{
    const char *dash = memchr(part.at, '-', part.length);
    struct part least = {part.at, dash ? (size_t)(dash - part.at) : part.length};
    struct part greatest = dash ? (struct part){dash + 1, part.length - least.length - 1} : least;

    if (read_time(least, &ret[0]) < 0 || read_time(greatest, &ret[1]) < 0 || ret[0] > ret[1])
        return -EINVAL;
    return 0;
}

/* "64k": bytes a second. */
static int read_bandwidth(struct part part, uint64_t *ret)
{
    static const char units[] = "kmg";
    const char *unit = part.length > 0 ? strchr(units, part.at[part.length - 1]) : NULL;
    unsigned shift = unit && *unit ? 10 * (unsigned)(unit - units + 1) : 0;
    uint64_t number;

    if (shift)
        part.length--;
    if (read_number(part, (UINT64_C(1) << 50) >> shift, &number) < 0 || number == 0)
        return -EINVAL;
    *ret = number << shift;
    return 0;
}

static int read_kind(const char *text, struct part name, struct part value, weft_faults *faults,
                     struct sim_faults_error *error)
{
    int kind = sim_fault_named(weft_bytes_of(name.at, name.length));
    uint64_t chance;

    if (kind < 0) {
        (void)wrong(error, text, name, "there is no such kind of fault");
        error->is_name = true;
        return -EINVAL;
    }
    if (read_number(value, MILLION, &chance) < 0)
        return wrong(error, text, value, "a chance is a number from 0 to 1000000: how often in a million occasions");
    *sim_fault_rate(faults, (enum sim_fault_kind)kind) = (unsigned)chance;
    return 0;
}

static bool is_word(struct part part, const char *word)
{
    return part.length == strlen(word) && memcmp(part.at, word, part.length) == 0;
}

static int read_part(const char *text, struct part part, weft_faults *faults, struct sim_faults_error *error)
{
    const char *equals = memchr(part.at, '=', part.length);
    struct part name = {part.at, equals ? (size_t)(equals - part.at) : part.length};
    struct part value = {equals ? equals + 1 : part.at + part.length, equals ? part.length - name.length - 1 : 0};

    if (!equals && (is_word(part, "all") || is_word(part, "none") || is_word(part, "all-but-allocations")))
        return wrong(error, text, part, "this word stands alone");
    if (is_word(name, "latency")) {
        if (read_latency(value, faults->latency) < 0)
            return wrong(error, text, value, "a latency is a time or two, up to 24 hours, such as 5ms or 1ms-80ms");
        return 0;
    }
    if (is_word(name, "bandwidth")) {
        if (read_bandwidth(value, &faults->bandwidth) < 0)
            return wrong(error, text, value, "a bandwidth is in bytes a second, such as 64k or 10m");
        return 0;
    }
    return read_kind(text, name, value, faults, error);
}

static int read_list(const char *text, weft_faults *faults, struct sim_faults_error *error)
{
    for (const char *at = text;; at++) {
        struct part part = {at, strcspn(at, ",")};
        int status = read_part(text, part, faults, error);

        if (status < 0)
            return status;
        at += part.length;
        if (*at == '\0')
            return 0;
    }
}

int sim_faults_parse(const char *text, struct sim_faults_text *ret, struct sim_faults_error *ret_error)
{
    struct sim_faults_text read = {.choice = SIM_FAULTS_LISTED, .faults = {.size = sizeof(weft_faults)}};
    int status = 0;

    if (strcmp(text, "all") == 0)
        read.choice = SIM_FAULTS_ALL;
    else if (strcmp(text, "all-but-allocations") == 0)
        read.choice = SIM_FAULTS_ALL_BUT_ALLOCATIONS;
    else if (strcmp(text, "none") != 0)
        status = read_list(text, &read.faults, ret_error);
    if (status == 0)
        *ret = read;
    return status;
}
