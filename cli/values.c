/* SPDX-License-Identifier: MIT */
#include "values.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit sizes[] = {{"t", 1ULL << 40},
                                    {"g", 1ULL << 30},
                                    {"m", 1ULL << 20},
                                    {"k", 1ULL << 10},
                                    {"", 1}};
static const struct unit durations[] = {{"h", 3600000000000ULL},
                                        {"m", 60000000000ULL},
                                        {"s", 1000000000ULL},
                                        {"ms", 1000000ULL}};

enum { SIZE_UNITS = sizeof(sizes) / sizeof(sizes[0]), DURATION_UNITS = sizeof(durations) / sizeof(durations[0]) };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Leaves *end at the first byte that is no digit. */
static int read_digits(const char *text, const char **end, uint64_t *ret)
{
    uint64_t value = 0;
    bool overflow = false;

    if (!is_digit(*text))
        return -EINVAL;
    for (; is_digit(*text); text++) {
        overflow |= __builtin_mul_overflow(value, 10, &value);
        overflow |= __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value);
    }
    *end = text;
    if (overflow)
        return -ERANGE;
    *ret = value;
    return 0;
}

static bool same_nocase(const char *text, const char *lower)
{
    for (; *lower; text++, lower++)
        if ((*text | 0x20) != *lower)
            return false;
    return *text == '\0';
}

static int read_with_unit(const char *text, const struct unit *units, size_t count, uint64_t maximum, uint64_t *ret)
{
    const char *end = text;
    uint64_t value = 0;
    int error = read_digits(text, &end, &value);

    if (error == -EINVAL)
        return error;
    for (size_t i = 0; i < count; i++) {
        if (!same_nocase(end, units[i].name))
            continue;
        if (error || __builtin_mul_overflow(value, units[i].factor, &value) || value > maximum)
            return -ERANGE;
        *ret = value;
        return 0;
    }
    return -EINVAL;
}

static const char *format_with_unit(uint64_t value, const struct unit *units, size_t count, char *buffer, size_t size)
{
    size_t i = 0;

    while (i + 1 < count && (value == 0 || value % units[i].factor != 0))
        i++;
    snprintf(buffer, size, "%" PRIu64 "%s", value / units[i].factor, units[i].name);
    return buffer;
}

int value_integer(const char *text, uint64_t *ret)
{
    const char *end = text;
    uint64_t value = 0;
    int error = read_digits(text, &end, &value);

    if (error == -EINVAL || *end != '\0')
        return -EINVAL;
    if (error)
        return error;
    *ret = value;
    return 0;
}

int value_size(const char *text, uint64_t *ret)
{
    return read_with_unit(text, sizes, SIZE_UNITS, UINT64_MAX - 1, ret);
}

int value_duration(const char *text, uint64_t *ret)
{
    return read_with_unit(text, durations, DURATION_UNITS, (uint64_t)INT64_MAX - 1, ret);
}

/* RFC 3986 §3.1: a letter, then letters, digits, "+", "-" and "."; then "://", or ":" alone for stdio: and exec:. */
static bool has_scheme(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

    return length > 0 && !is_digit(*text) && text[length] == ':' && !is_digit(text[length + 1]);
}

int value_endpoint(const char *text, char *buffer, size_t size, const char **ret)
{
    const char *colon = strrchr(text, ':');
    uint64_t port = 0;
    int written;

    if (has_scheme(text)) {
        *ret = text;
        return 0;
    }
    if (value_integer(colon ? colon + 1 : text, &port) < 0)
        return -EINVAL;
    if (port > 65535)
        return -ERANGE;
    /* An IPv6 address needs its brackets, or its last group would be taken for the port. */
    if (colon && text[0] != '[' && strchr(text, ':') != colon)
        return -EINVAL;
    written = snprintf(buffer, size, "tcp://%s%s", colon ? "" : "127.0.0.1:", text);
    if (written < 0 || (size_t)written >= size)
        return -ERANGE;
    *ret = buffer;
    return 0;
}

const char *value_format_size(uint64_t value, char *buffer, size_t size)
{
    return format_with_unit(value, sizes, SIZE_UNITS, buffer, size);
}

const char *value_format_duration(uint64_t value, char *buffer, size_t size)
{
    return format_with_unit(value, durations, DURATION_UNITS, buffer, size);
}
