/* SPDX-License-Identifier: MIT */
/* From an open file to the response: conditions, ranges, fields (http_files.h). */
#include "families/http/http_files.h"

#include <weft/wire/http_date.h>

#include "families/http/http_mime.h"
#include "families/http/http_range.h"

/* A file up to this size is sent from memory, with the head, in one system call. */
#define SMALL (16 * 1024)
#define FIELDS 10

/* A response that is being put together. */
struct reply {
    struct visit *visit;
    weft_file *file;
    const weft_file_info *info;
    weft_bytes type;
    struct http_validators validators;
    struct http_conditions conditions;
    weft_bytes range; /* the Range field's value, or empty */
    size_t range_count;
    weft_http_field fields[FIELDS];
    size_t field_count;
    char modified[WEFT_HTTP_DATE_LENGTH];
};

static void add(struct reply *reply, const char *name, weft_bytes value)
{
    reply->fields[reply->field_count++] = (weft_http_field){weft_bytes_from(name), value};
}

static weft_bytes last_segment(weft_bytes path)
{
    for (size_t i = path.length; i > 0; i--)
        if (path.data[i - 1] == '/')
            return weft_bytes_skip(path, i);
    return path;
}

/* RFC 9110 §15.4.5 and §15.3.7: what a 200 would say is said in 304 and 206, too. */
static void add_validators(struct reply *reply)
{
    add(reply, "ETag", weft_bytes_from(reply->validators.etag));
    if (weft_http_date_format(reply->validators.modified, reply->modified) == 0)
        add(reply, "Last-Modified", weft_bytes_of(reply->modified, sizeof reply->modified));
    if (!reply->visit->files->options.no_precompressed) /* §12.5.5: the answer that was not coded was chosen, too */
        add(reply, "Vary", weft_bytes_of("Accept-Encoding", 15));
}

static void add_description(struct reply *reply)
{
    add(reply, "Accept-Ranges", weft_bytes_of("bytes", 5));
    add(reply, "X-Content-Type-Options", weft_bytes_of("nosniff", 7));
    if (reply->visit->coding != HTTP_CODING_IDENTITY)
        add(reply, "Content-Encoding", weft_bytes_from(http_coding_name(reply->visit->coding)));
}

static void read_request(struct reply *reply)
{
    const weft_http_exchange *exchange = reply->visit->exchange;

    for (size_t i = 0; i < weft_http_exchange_field_count(exchange); i++) {
        const weft_http_field *field = weft_http_exchange_field_at(exchange, i);

        if (http_conditions_add(&reply->conditions, field->name, field->value))
            continue;
        if (weft_bytes_equal_nocase(field->name, weft_bytes_of("Range", 5)) && reply->range_count++ == 0)
            reply->range = field->value;
    }
}

/* -- the bodies: each answers 0, or an error after which there is no whole response -- */

/* From what the cache has, or from memory, if all of it is in the page cache; else *sent stays false. */
static int send_small(struct reply *reply, bool *sent)
{
    char body[SMALL];
    int count;

    if (reply->visit->content.length > 0) {
        *sent = true;
        return weft_http_respond(reply->visit->exchange, 200, reply->fields, reply->field_count, reply->visit->content);
    }
    if (reply->info->length > sizeof body)
        return 0;
    count = weft_file_read_cached(reply->file, 0, body, sizeof body);
    if (count < 0 || (uint64_t)count != reply->info->length)
        return 0; /* not in memory, or it has just changed: then sending it will find out */
    *sent = true;
    return weft_http_respond(reply->visit->exchange, 200, reply->fields, reply->field_count,
                             weft_bytes_of(body, (size_t)count));
}

static int send_stretch(struct reply *reply, unsigned code, uint64_t offset, uint64_t length)
{
    weft_http_exchange *exchange = reply->visit->exchange;
    int status = weft_http_respond_start(exchange, code, reply->fields, reply->field_count, length);

    if (status >= 0)
        status = weft_http_respond_file(exchange, reply->file, offset, length);
    return status < 0 ? status : weft_http_respond_end(exchange, NULL, 0);
}

static int send_whole(struct reply *reply)
{
    bool sent = false;
    int status;

    add(reply, "Content-Type", reply->type);
    add_description(reply);
    status = send_small(reply, &sent);
    return sent ? status : send_stretch(reply, 200, 0, reply->info->length);
}

static int send_range(struct reply *reply, const struct http_range *range)
{
    char content_range[HTTP_CONTENT_RANGE_ROOM];
    size_t length = http_range_content(range, reply->info->length, content_range);

    add(reply, "Content-Type", reply->type);
    add_description(reply);
    add(reply, "Content-Range", weft_bytes_of(content_range, length));
    return send_stretch(reply, 206, range->first, range->length);
}

static int send_parts(struct reply *reply, const struct http_multipart *multipart)
{
    weft_http_exchange *exchange = reply->visit->exchange;
    char text[HTTP_MULTIPART_ROOM];
    int status = 0;

    for (size_t i = 0; i < multipart->ranges->count && status >= 0; i++) {
        const struct http_range *range = &multipart->ranges->items[i];

        status = weft_http_respond_write(exchange, weft_bytes_of(text, http_multipart_head(multipart, i, text)));
        if (status >= 0)
            status = weft_http_respond_file(exchange, reply->file, range->first, range->length);
    }
    if (status >= 0)
        status = weft_http_respond_write(exchange, weft_bytes_of(text, http_multipart_tail(multipart, text)));
    return status < 0 ? status : weft_http_respond_end(exchange, NULL, 0);
}

static int send_ranges(struct reply *reply, const struct http_ranges *ranges)
{
    weft_http_exchange *exchange = reply->visit->exchange;
    struct http_multipart multipart = {.ranges = ranges, .size = reply->info->length, .content_type = reply->type};
    char type[HTTP_MULTIPART_ROOM];
    uint64_t random[2], length = 0;
    int status = weft_loop_entropy(weft_http_exchange_loop(exchange), random, sizeof random);

    if (status < 0)
        return status;
    http_multipart_boundary(&multipart, random[0], random[1]);
    status = http_multipart_length(&multipart, &length);
    if (status < 0)
        return status;
    add(reply, "Content-Type", weft_bytes_of(type, http_multipart_type(&multipart, type)));
    add_description(reply);
    status = weft_http_respond_start(exchange, 206, reply->fields, reply->field_count, length);
    return status < 0 ? status : send_parts(reply, &multipart);
}

static int send_unsatisfiable(struct reply *reply)
{
    char content_range[HTTP_CONTENT_RANGE_ROOM];
    size_t length = http_range_content(NULL, reply->info->length, content_range);
    weft_http_field field = {WEFT_BYTES("Content-Range"), weft_bytes_of(content_range, length)};

    return weft_http_respond(reply->visit->exchange, 416, &field, 1, weft_bytes_of(NULL, 0));
}

static int send_not_modified(struct reply *reply)
{
    weft_http_exchange *exchange = reply->visit->exchange;
    int status = weft_http_respond_start(exchange, 304, reply->fields, reply->field_count, WEFT_HTTP_LENGTH_UNKNOWN);

    return status < 0 ? status : weft_http_respond_end(exchange, NULL, 0);
}

/* RFC 9110 §13.2.2: what the conditions allow; Range comes last. */
static int answer(struct reply *reply, int64_t now)
{
    weft_http_exchange *exchange = reply->visit->exchange;
    struct http_ranges ranges;

    switch (http_conditions_evaluate(&reply->conditions, &reply->validators, true, now)) {
    case HTTP_CONDITIONS_FAILED:
        return weft_http_respond(exchange, 412, NULL, 0, weft_bytes_of(NULL, 0));
    case HTTP_CONDITIONS_NOT_MODIFIED:
        return send_not_modified(reply);
    default:
        break;
    }
    if (reply->range_count != 1 || !weft_bytes_equal(weft_http_exchange_method(exchange), weft_bytes_of("GET", 3)) ||
        !http_conditions_allow_range(&reply->conditions, &reply->validators, now))
        return send_whole(reply);
    switch (http_range_parse(reply->range, reply->info->length, &ranges)) {
    case HTTP_RANGE_PARTIAL:
        return ranges.count == 1 ? send_range(reply, &ranges.items[0]) : send_ranges(reply, &ranges);
    case HTTP_RANGE_UNSATISFIABLE:
        return send_unsatisfiable(reply);
    default:
        return send_whole(reply);
    }
}

void visit_send(struct visit *visit, weft_file *file)
{
    weft_time now = weft_loop_wall(weft_http_exchange_loop(visit->exchange));
    struct reply reply = {.visit = visit, .file = file, .info = weft_file_about(file)};
    const char *coding = http_coding_suffix(visit->coding);

    reply.type = http_mime_type(last_segment(weft_bytes_of(visit->name, visit->base_length)));
    reply.validators = http_validators_of(reply.info->modified, reply.info->length, *coding ? coding + 1 : "", now);
    read_request(&reply);
    add_validators(&reply);
    visit_answered(visit, answer(&reply, now / WEFT_SECONDS(1)));
    weft_file_unref(file);
}
