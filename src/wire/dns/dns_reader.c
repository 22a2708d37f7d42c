/* SPDX-License-Identifier: MIT */
/* Messages, pulled: the header, then question after question and record after record. */
#include "wire/dns/dns_decompress.h"
#include "wire/dns/dns_schema.h"

static void read_header(const char *at, weft_dns_header *header)
{
    uint16_t flags = dns_get16(at + 2);

    header->id = dns_get16(at);
    header->qr = flags & 0x8000;
    header->opcode = flags >> 11 & 15;
    header->aa = flags & 0x0400;
    header->tc = flags & 0x0200;
    header->rd = flags & 0x0100;
    header->ra = flags & 0x0080;
    header->ad = flags & 0x0020;
    header->cd = flags & 0x0010;
    header->rcode = flags & 15;
    header->qdcount = dns_get16(at + 4);
    header->ancount = dns_get16(at + 6);
    header->nscount = dns_get16(at + 8);
    header->arcount = dns_get16(at + 10);
}

int weft_dns_reader_init(weft_dns_reader *reader, weft_bytes message, weft_dns_header *header)
{
    if (message.length < WEFT_DNS_HEADER_SIZE || message.length > WEFT_DNS_MESSAGE_MAX)
        return WEFT_EPROTOCOL;
    read_header(message.data, header);
    reader->message = message;
    reader->problem = "";
    reader->at = WEFT_DNS_HEADER_SIZE;
    reader->left[0] = header->qdcount;
    reader->left[1] = header->ancount;
    reader->left[2] = header->nscount;
    reader->left[3] = header->arcount;
    reader->section = WEFT_DNS_END;
    reader->edns = false;
    dns_decompress_init(reader);
    return 0;
}

/* -- records -- */

/* RFC 6891 §6.1.1: at most one OPT, in the additional section, with the root's name. */
static int check_opt(weft_dns_reader *reader, const weft_dns_record *record)
{
    if (reader->edns)
        return dns_reader_fail(reader, "there are two OPTs");
    if (reader->section != WEFT_DNS_ADDITIONAL || record->name.length != 1)
        return dns_reader_fail(reader, "an OPT has a name, or is not in the additional section");
    reader->edns = true;
    return 0;
}

static int read_rest(weft_dns_reader *reader, size_t at, weft_dns_record *record)
{
    const char *fixed = reader->message.data + at;
    size_t length;

    if (reader->message.length - at < 10)
        return dns_reader_fail(reader, "a record is cut off");
    record->ttl = dns_get32(fixed + 4);
    length = dns_get16(fixed + 8);
    if (reader->message.length - at - 10 < length)
        return dns_reader_fail(reader, "a record's data is cut off");
    record->data = weft_bytes_of(fixed + 10, length);
    reader->at = at + 10 + length;
    if (record->type == WEFT_DNS_OPT)
        return check_opt(reader, record);
    if (record->ttl > INT32_MAX)
        record->ttl = 0; /* RFC 2181 §8 */
    return 0;
}

static int read_record(weft_dns_reader *reader, weft_dns_record *record)
{
    size_t at = dns_decompress(reader, reader->at, reader->message.length, true, &record->name);

    if (at == 0)
        return WEFT_EPROTOCOL;
    if (reader->message.length - at < 4)
        return dns_reader_fail(reader, "a question or record is cut off");
    record->type = dns_get16(reader->message.data + at);
    record->rrclass = dns_get16(reader->message.data + at + 2);
    if (reader->section > WEFT_DNS_QUESTION)
        return read_rest(reader, at, record);
    record->ttl = 0;
    record->data = weft_bytes_of(NULL, 0);
    reader->at = at + 4;
    return 0;
}

int weft_dns_next(weft_dns_reader *reader, weft_dns_record *record)
{
    weft_dns_record found;

    if (*reader->problem)
        return WEFT_EPROTOCOL;
    for (unsigned i = 0; i < 4; i++) {
        if (reader->left[i] == 0)
            continue;
        reader->left[i]--;
        reader->section = (uint8_t)(i + 1);
        if (read_record(reader, &found) < 0)
            return WEFT_EPROTOCOL;
        *record = found;
        return reader->section;
    }
    return WEFT_DNS_END;
}

const char *weft_dns_reader_problem(const weft_dns_reader *reader)
{
    return reader->problem;
}

weft_bytes weft_dns_reader_rest(const weft_dns_reader *reader)
{
    return weft_bytes_skip(reader->message, reader->at);
}

/* -- data -- */

static bool is_name(char kind)
{
    return kind == DNS_NAME || kind == DNS_NAME_OLD || kind == DNS_NAME_LOWER || kind == DNS_NAME_PLAIN;
}

/* Puts @p bytes at the end of what is @p length long already. Returns 0 or -ENOSPC. */
static int append(uint8_t *out, size_t room, size_t *length, weft_bytes bytes)
{
    if (bytes.length > room - *length)
        return -ENOSPC;
    if (bytes.length > 0)
        memcpy(out + *length, bytes.data, bytes.length);
    *length += bytes.length;
    return 0;
}

/* Takes the field of @p kind off the front of @p rest, names in full. */
static int expand(weft_dns_reader *reader, char kind, weft_bytes *rest, uint8_t *out, size_t room, size_t *length)
{
    size_t at = (size_t)(rest->data - reader->message.data), end = at + rest->length;
    weft_dns_name name;
    int span;

    if (!is_name(kind)) {
        span = dns_field_span(kind, *rest);
        if (span < 0)
            return WEFT_EPROTOCOL;
        if (append(out, room, length, weft_bytes_first(*rest, (size_t)span)) < 0)
            return -ENOSPC;
        *rest = weft_bytes_skip(*rest, (size_t)span);
        return 0;
    }
    at = dns_decompress(reader, at, end, kind == DNS_NAME || kind == DNS_NAME_OLD, &name);
    if (at == 0)
        return WEFT_EPROTOCOL;
    *rest = weft_bytes_of(reader->message.data + at, end - at);
    return append(out, room, length, weft_dns_name_bytes(&name));
}

int weft_dns_read_data(weft_dns_reader *reader, const weft_dns_record *record, void *out, size_t room)
{
    const char *schema = dns_schema_of(record->type);
    const char *before = reader->problem;
    weft_bytes rest = record->data;
    size_t length = 0;
    int status = 0;

    if (room > WEFT_DNS_MESSAGE_MAX)
        room = WEFT_DNS_MESSAGE_MAX;
    if (!schema) {
        status = append(out, room, &length, rest);
        return status < 0 ? status : (int)length;
    }
    for (; *schema && status == 0; schema++)
        status = expand(reader, *schema, &rest, out, room, &length);
    reader->problem = before; /* bad data is the record's matter: the next one can be read */
    if (status < 0)
        return status;
    return rest.length == 0 ? (int)length : WEFT_EPROTOCOL;
}

/* -- what a server does -- */

int weft_dns_judge_request(const weft_dns_header *header, unsigned opcodes)
{
    if (header->qr)
        return WEFT_DNS_DROP;
    if (!(opcodes >> header->opcode & 1))
        return WEFT_DNS_NOTIMP;
    if (header->opcode == WEFT_DNS_QUERY && header->qdcount != 1)
        return WEFT_DNS_FORMERR;
    return WEFT_DNS_NOERROR;
}
