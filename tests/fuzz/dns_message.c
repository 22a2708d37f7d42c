/* SPDX-License-Identifier: MIT */
/*
 * A DNS message: it is read within its bounds; what is read is written again and means the same; the text of each
 * record's data spells that data. An input that begins with an odd octet is text instead: of a record's data.
 */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/wire/dns_data.h>

static void demand(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

static uint8_t data[WEFT_DNS_MESSAGE_MAX], again[WEFT_DNS_MESSAGE_MAX], out[WEFT_DNS_MESSAGE_MAX];
static char text[8 * WEFT_DNS_MESSAGE_MAX], text_again[8 * WEFT_DNS_MESSAGE_MAX];

/* The text of data spells it; but for LOC, which has several ways to say one size. */
static void check_text(uint16_t type, weft_bytes value)
{
    weft_dns_text_error error = {0};
    int length = weft_dns_data_text(type, value, text, sizeof text), size;

    demand(length >= 0, "every data has a text");
    demand(strlen(text) == (size_t)length, "a text has no NUL but at its end");
    if (weft_dns_data_check(type, value) < 0)
        return; /* its text is that of an unknown type, which is not taken for this one */
    size = weft_dns_data_parse(type, weft_bytes_of(text, (size_t)length), NULL, again, sizeof again, &error);
    if (size == -EINVAL && (type == WEFT_DNS_SVCB || type == WEFT_DNS_HTTPS) && value.length > 256)
        return; /* a text has at most 64 parameters, and lists of 2 KiB */
    if (size < 0)
        fprintf(stderr, "type %u: %s\n%s at %zu\n", type, text, error.text, error.offset);
    demand(size >= 0, "a text that we write is one that we read");
    if (type != WEFT_DNS_LOC)
        demand(weft_bytes_equal(weft_bytes_of(again, (size_t)size), value), "a text spells what it was made of");
    demand(weft_dns_data_text(type, weft_bytes_of(again, (size_t)size), text_again, sizeof text_again) == length &&
               memcmp(text, text_again, (size_t)length) == 0,
           "a text has one form");
}

static void check_name(const weft_dns_name *name)
{
    char name_text[WEFT_DNS_NAME_TEXT];
    weft_dns_name back;

    demand(name->length > 0 && name->octets[name->length - 1] == 0, "a name ends with the root");
    demand(weft_dns_name_parse(weft_bytes_of(name_text, weft_dns_name_text(name, name_text)), NULL, &back) == 0,
           "the text of a name is one");
    demand(weft_dns_name_same(name, &back), "the text of a name spells it");
}

/* Reads all of a message, and writes what it can of it into @p writer. Returns how many were written. */
static unsigned copy(weft_bytes message, weft_dns_writer *writer)
{
    weft_dns_header header;
    weft_dns_reader reader;
    weft_dns_record record;
    unsigned written = 0;
    int section, length = 0;

    if (weft_dns_reader_init(&reader, message, &header) < 0)
        return 0;
    header.rcode &= 15;
    demand(weft_dns_writer_init(writer, out, sizeof out, &header) == 0, "a header that was read can be written");
    while ((section = weft_dns_next(&reader, &record)) > 0) {
        weft_dns_edns edns;

        check_name(&record.name);
        if (section == WEFT_DNS_QUESTION) {
            written += weft_dns_write_question(writer, &record.name, record.type, record.rrclass) == 0;
            continue;
        }
        if (record.type == WEFT_DNS_OPT && weft_dns_edns_read(&record, &edns) == 0)
            demand(edns.udp_size >= 512, "a size is at least 512");
        length = weft_dns_read_data(&reader, &record, data, sizeof data);
        if (length < 0)
            continue;
        check_text(record.type, weft_bytes_of(data, (size_t)length));
        written += weft_dns_write_record(writer, (weft_dns_section)section, &record.name, record.type, record.rrclass,
                                         record.ttl, weft_bytes_of(data, (size_t)length)) == 0;
    }
    demand((section < 0) == (*weft_dns_reader_problem(&reader) != '\0'), "what is refused says why");
    return written;
}

static void check_message(weft_bytes message)
{
    static weft_dns_writer writer, second;
    static uint8_t first[WEFT_DNS_MESSAGE_MAX];
    unsigned written = copy(message, &writer);
    weft_bytes once;

    if (written == 0)
        return;
    once = weft_dns_writer_finish(&writer);
    memcpy(first, once.data, once.length);
    demand(copy(weft_bytes_of(first, once.length), &second) == written, "what was written is read");
    demand(weft_bytes_equal(weft_bytes_of(first, once.length), weft_dns_writer_finish(&second)),
           "what was written is written so again");
}

static void check_data_text(uint16_t type, weft_bytes input)
{
    weft_dns_text_error error = {.offset = SIZE_MAX};
    int length = weft_dns_data_parse(type, input, NULL, data, sizeof data, &error);

    if (length >= 0)
        check_text(type, weft_bytes_of(data, (size_t)length));
    else
        demand(error.offset <= input.length && error.text, "an error points into the text");
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    if (size > 3 && input[0] & 1)
        check_data_text((uint16_t)(input[1] << 8 | input[2]), weft_bytes_of(input + 3, size - 3));
    else
        check_message(weft_bytes_of(input, size));
    return 0;
}
