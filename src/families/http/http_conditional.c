/* SPDX-License-Identifier: MIT */
#include "families/http/http_conditional.h"

#include <inttypes.h>
#include <stdio.h>

#include <weft/time.h>
#include <weft/wire/http_date.h>

struct entity_tag {
    bool weak;
    weft_bytes opaque; /* with its quotes */
};

static struct http_condition *condition_named(struct http_conditions *conditions, weft_bytes name)
{
    const struct {
        weft_bytes name;
        struct http_condition *condition;
    } fields[] = {
        {WEFT_BYTES("If-Match"), &conditions->match},
        {WEFT_BYTES("If-None-Match"), &conditions->none_match},
        {WEFT_BYTES("If-Modified-Since"), &conditions->modified_since},
        {WEFT_BYTES("If-Unmodified-Since"), &conditions->unmodified_since},
        {WEFT_BYTES("If-Range"), &conditions->range},
    };

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (weft_bytes_equal_nocase(fields[i].name, name))
            return fields[i].condition;
    return NULL;
}

bool http_conditions_add(struct http_conditions *conditions, weft_bytes name, weft_bytes value)
{
    struct http_condition *condition = condition_named(conditions, name);

    if (!condition)
        return false;
    if (condition->count < HTTP_CONDITION_LINES)
        condition->lines[condition->count] = value;
    condition->count++;
    return true;
}

/* Seconds, rounded down before 1970 too. */
static int64_t whole_seconds(int64_t nanoseconds)
{
    int64_t seconds = nanoseconds / WEFT_SECONDS(1);

    return seconds - (nanoseconds % WEFT_SECONDS(1) < 0);
}

struct http_validators http_validators_of(int64_t modified_ns, uint64_t size, const char *coding, int64_t now_ns)
{
    struct http_validators validators;
    bool strong = modified_ns < now_ns && now_ns - WEFT_SECONDS(2) >= modified_ns;

    snprintf(validators.etag, sizeof(validators.etag), "%s\"%" PRIx64 "-%" PRIx64 "%s%.4s\"", strong ? "" : "W/",
             (uint64_t)modified_ns, size, *coding ? "-" : "", coding);
    validators.modified = whole_seconds(modified_ns < now_ns ? modified_ns : now_ns);
    return validators;
}

static bool is_etag_character(unsigned char byte)
{
    return byte == 0x21 || (byte >= 0x23 && byte != 0x7f);
}

/* RFC 9110 §8.8.3: [ "W/" ] DQUOTE *etagc DQUOTE, taken from the front of *rest. "W" is case-sensitive. */
static bool read_tag(weft_bytes *rest, struct entity_tag *ret)
{
    static const weft_bytes weak = WEFT_BYTES("W/");
    size_t length = 1;

    ret->weak = weft_bytes_starts_with(*rest, weak);
    if (ret->weak)
        *rest = weft_bytes_skip(*rest, weak.length);
    if (rest->length == 0 || rest->data[0] != '"')
        return false;
    while (length < rest->length && is_etag_character((unsigned char)rest->data[length]))
        length++;
    if (length == rest->length || rest->data[length] != '"')
        return false;
    ret->opaque = weft_bytes_first(*rest, length + 1);
    *rest = weft_bytes_skip(*rest, length + 1);
    return true;
}

static void skip_space(weft_bytes *rest)
{
    while (rest->length && (rest->data[0] == ' ' || rest->data[0] == '\t'))
        *rest = weft_bytes_skip(*rest, 1);
}

/* §8.8.3.2: the strong comparison needs two strong tags. */
static bool tags_match(struct entity_tag a, struct entity_tag b, bool strongly)
{
    return weft_bytes_equal(a.opaque, b.opaque) && !(strongly && (a.weak || b.weak));
}

/* Whether @current is in a list. A list with a mistake in it has no members. */
static bool list_has_tag(weft_bytes list, struct entity_tag current, bool strongly)
{
    bool found = false;

    for (skip_space(&list); list.length; skip_space(&list)) {
        struct entity_tag tag;

        if (list.data[0] != ',') {
            if (!read_tag(&list, &tag))
                return false;
            found |= tags_match(tag, current, strongly);
            skip_space(&list);
        }
        if (list.length && list.data[0] != ',')
            return false;
        list = weft_bytes_skip(list, 1);
    }
    return found;
}

static struct entity_tag current_tag(const struct http_validators *validators)
{
    weft_bytes text = weft_bytes_from(validators->etag);
    struct entity_tag tag;

    if (!read_tag(&text, &tag))
        return (struct entity_tag){.weak = true};
    return tag;
}

/* Whether the condition, of If-Match or If-None-Match, names the representation. */
static bool names_current(const struct http_condition *condition, const struct http_validators *validators,
                          bool strongly)
{
    static const weft_bytes any = WEFT_BYTES("*");
    struct entity_tag current = current_tag(validators);

    if (condition->count == 1 && weft_bytes_equal(condition->lines[0], any))
        return true;
    for (size_t i = 0; i < condition->count && i < HTTP_CONDITION_LINES; i++)
        if (list_has_tag(condition->lines[i], current, strongly))
            return true;
    return false;
}

/* The date of a field that came once and is valid. */
static bool read_date(const struct http_condition *condition, int64_t now, int64_t *ret)
{
    return condition->count == 1 && weft_http_date_parse(condition->lines[0], now, ret) == 0;
}

/* RFC 9110 §13.2.2; the numbers are those of its steps. */
enum http_condition_result http_conditions_evaluate(const struct http_conditions *conditions,
                                                    const struct http_validators *validators, bool safe, int64_t now)
{
    int64_t date;

    /* 1 and 2 */
    if (conditions->match.count) {
        if (!names_current(&conditions->match, validators, true))
            return HTTP_CONDITIONS_FAILED;
    } else if (read_date(&conditions->unmodified_since, now, &date) && validators->modified > date) {
        return HTTP_CONDITIONS_FAILED;
    }
    /* 3 and 4 */
    if (conditions->none_match.count) {
        if (names_current(&conditions->none_match, validators, false))
            return safe ? HTTP_CONDITIONS_NOT_MODIFIED : HTTP_CONDITIONS_FAILED;
    } else if (safe && read_date(&conditions->modified_since, now, &date) && validators->modified <= date) {
        return HTTP_CONDITIONS_NOT_MODIFIED;
    }
    return HTTP_CONDITIONS_MET;
}

bool http_conditions_allow_range(const struct http_conditions *conditions, const struct http_validators *validators,
                                 int64_t now)
{
    weft_bytes value = conditions->range.lines[0];
    struct entity_tag tag;
    int64_t date;

    if (conditions->range.count == 0)
        return true;
    if (conditions->range.count > 1)
        return false;
    if (read_tag(&value, &tag))
        return value.length == 0 && tags_match(tag, current_tag(validators), true);
    /* A date is as exact as a strong tag only if its second is over (§8.8.2.2). */
    return read_date(&conditions->range, now, &date) && date == validators->modified && date < now;
}
