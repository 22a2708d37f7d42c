/* SPDX-License-Identifier: MIT */
/*
 * Messages, written into the caller's room.
 *
 * To compress a name is to find the longest end of it that is in the message already. The writer remembers where the
 * labels of up to 256 names began, in chains by a hash of what follows them; what a chain offers is compared with the
 * octets in the message, so a wrong hash costs time and nothing else. Each comparison of a label is a step, and a message
 * has so many of them and no more (Unbound's CVE-2024-8508): then names are written in full.
 *
 * 1. names[] is a stack: those of a record that was taken back are its last ones.
 * 2. What names[i] says begins below `length`, and below 2^14.
 */
#include "wire/dns/dns_name.h"
#include "wire/dns/dns_schema.h"

#define STEPS 32768
#define POINTER_LIMIT 0x4000

int weft_dns_writer_init(weft_dns_writer *writer, void *out, size_t room, const weft_dns_header *header)
{
    unsigned flags;

    if (header->opcode > 15 || header->rcode > 15)
        return -EINVAL;
    if (room < WEFT_DNS_HEADER_SIZE)
        return -ENOSPC;
    memset(writer, 0, sizeof *writer);
    writer->out = out;
    writer->room = room > WEFT_DNS_MESSAGE_MAX ? WEFT_DNS_MESSAGE_MAX : room;
    writer->length = WEFT_DNS_HEADER_SIZE;
    writer->work = STEPS;
    writer->section = WEFT_DNS_QUESTION;
    flags = (header->qr ? 0x8000u : 0) | (unsigned)header->opcode << 11 | (header->aa ? 0x0400u : 0) |
            (header->tc ? 0x0200u : 0) | (header->rd ? 0x0100u : 0) | (header->ra ? 0x0080u : 0) |
            (header->ad ? 0x0020u : 0) | (header->cd ? 0x0010u : 0) | header->rcode;
    memset(out, 0, WEFT_DNS_HEADER_SIZE);
    dns_put16(writer->out, header->id);
    dns_put16(writer->out + 2, flags);
    return 0;
}

static int put(weft_dns_writer *writer, const void *data, size_t length)
{
    if (length > writer->room - writer->reserved - writer->length)
        return -ENOSPC;
    if (length > 0)
        memcpy(writer->out + writer->length, data, length);
    writer->length += length;
    return 0;
}

static int put16(weft_dns_writer *writer, unsigned value)
{
    uint8_t octets[2];

    dns_put16(octets, value);
    return put(writer, octets, sizeof octets);
}

/* -- compression -- */

/* Of each end of the name that begins at starts[i], by what it is made of from the right. */
static void hash_ends(const weft_dns_name *name, const uint8_t *starts, unsigned count, uint32_t *ret)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (unsigned i = count; i-- > 0;) {
        const uint8_t *label = name->octets + starts[i];

        for (unsigned k = 0; k <= label[0]; k++)
            hash = (hash ^ dns_lower(label[k])) * 16777619u;
        ret[i] = hash;
    }
}

/* Whether what is in the message at @p at is the name whose octets are @p end. Takes a step for each label. */
static bool is_there(weft_dns_writer *writer, size_t at, const uint8_t *end)
{
    while (writer->work > 0) {
        const uint8_t *here = writer->out + at;

        writer->work--;
        if (here[0] >= 0xc0) {
            at = (size_t)(here[0] & 0x3f) << 8 | here[1];
            continue;
        }
        if (here[0] != end[0] || !dns_octets_equal(here + 1, end + 1, end[0]))
            return false;
        if (end[0] == 0)
            return true;
        at += 1u + end[0];
        end += 1u + end[0];
    }
    return false;
}

/* Where in the message @p end is, which has this hash; 0 if nowhere. */
static size_t find_end(weft_dns_writer *writer, const uint8_t *end, uint32_t hash)
{
    unsigned next = writer->chain[hash % WEFT_DNS_WRITER_CHAINS];

    while (next > 0 && writer->work > 0) {
        writer->work--;
        if (writer->names[next - 1].hash == hash && is_there(writer, writer->names[next - 1].offset, end))
            return writer->names[next - 1].offset;
        next = writer->names[next - 1].next;
    }
    return 0;
}

static void remember(weft_dns_writer *writer, size_t offset, uint32_t hash)
{
    uint16_t *chain = &writer->chain[hash % WEFT_DNS_WRITER_CHAINS];

    if (writer->name_count == WEFT_DNS_WRITER_NAMES || offset >= POINTER_LIMIT)
        return;
    writer->names[writer->name_count].offset = (uint16_t)offset;
    writer->names[writer->name_count].hash = hash;
    writer->names[writer->name_count].next = *chain;
    *chain = ++writer->name_count;
}

static void forget_names(weft_dns_writer *writer, uint16_t count)
{
    while (writer->name_count > count) {
        writer->name_count--;
        writer->chain[writer->names[writer->name_count].hash % WEFT_DNS_WRITER_CHAINS] =
            writer->names[writer->name_count].next;
    }
}

static int put_compressed(weft_dns_writer *writer, const weft_dns_name *name)
{
    uint8_t starts[WEFT_DNS_LABELS_MAX];
    uint32_t hashes[WEFT_DNS_LABELS_MAX];
    unsigned count = dns_name_starts(name, starts), found = 0;
    size_t base = writer->length, target = 0;
    int status;

    hash_ends(name, starts, count, hashes);
    while (found < count && (target = find_end(writer, name->octets + starts[found], hashes[found])) == 0)
        found++;
    if (found == count)
        status = put(writer, name->octets, name->length);
    else if ((status = put(writer, name->octets, starts[found])) == 0)
        status = put16(writer, 0xc000 | (unsigned)target);
    if (status < 0)
        return status;
    for (unsigned i = 0; i < found; i++)
        remember(writer, base + starts[i], hashes[i]);
    return 0;
}

/* -- questions and records -- */

weft_dns_mark weft_dns_writer_mark(const weft_dns_writer *writer)
{
    weft_dns_mark mark = {.length = writer->length, .name_count = writer->name_count, .section = writer->section};

    memcpy(mark.count, writer->count, sizeof mark.count);
    return mark;
}

void weft_dns_writer_rewind(weft_dns_writer *writer, const weft_dns_mark *mark)
{
    writer->length = mark->length;
    writer->section = mark->section;
    memcpy(writer->count, mark->count, sizeof writer->count);
    forget_names(writer, mark->name_count);
}

static int put_head(weft_dns_writer *writer, const weft_dns_name *name, uint16_t type, uint16_t rrclass)
{
    int status = put_compressed(writer, name);

    if (status == 0)
        status = put16(writer, type);
    return status == 0 ? put16(writer, rrclass) : status;
}

int weft_dns_write_question(weft_dns_writer *writer, const weft_dns_name *name, uint16_t type, uint16_t rrclass)
{
    weft_dns_mark mark = weft_dns_writer_mark(writer);
    int status;

    if (writer->section != WEFT_DNS_QUESTION)
        return -EINVAL;
    if (writer->count[0] == UINT16_MAX)
        return -ENOSPC;
    status = put_head(writer, name, type, rrclass);
    if (status < 0)
        weft_dns_writer_rewind(writer, &mark);
    else
        writer->count[0]++;
    return status;
}

static int put_field(weft_dns_writer *writer, int kind, weft_bytes value)
{
    weft_dns_name name;

    if (kind != DNS_NAME)
        return put(writer, value.data, value.length);
    return weft_dns_name_take(&value, &name) < 0 ? -EINVAL : put_compressed(writer, &name);
}

static int put_data(weft_dns_writer *writer, uint16_t type, weft_bytes data)
{
    struct dns_fields fields = {.schema = dns_schema_of(type), .rest = data};
    weft_bytes value;
    int kind, status = 0;

    if (!fields.schema)
        return put(writer, data.data, data.length);
    while (status == 0 && (kind = dns_fields_next(&fields, &value)) != 0)
        status = kind < 0 ? -EINVAL : put_field(writer, kind, value);
    return status;
}

static int put_record(weft_dns_writer *writer, const weft_dns_name *name, uint16_t type, uint16_t rrclass, uint32_t ttl,
                      weft_bytes data)
{
    uint8_t fixed[6] = {0};
    size_t start;
    int status = put_head(writer, name, type, rrclass);

    dns_put32(fixed, ttl);
    if (status == 0)
        status = put(writer, fixed, sizeof fixed);
    start = writer->length;
    if (status == 0 && (data.length > 0 || rrclass < WEFT_DNS_CLASS_NONE)) /* RFC 2136 §2.5: a type without data */
        status = put_data(writer, type, data);
    if (status == 0)
        dns_put16(writer->out + start - 2, (unsigned)(writer->length - start));
    return status;
}

int weft_dns_write_record(weft_dns_writer *writer, weft_dns_section section, const weft_dns_name *name, uint16_t type,
                          uint16_t rrclass, uint32_t ttl, weft_bytes data)
{
    weft_dns_mark mark = weft_dns_writer_mark(writer);
    int status;

    if (section < WEFT_DNS_ANSWER || section > WEFT_DNS_ADDITIONAL || section < writer->section)
        return -EINVAL;
    if (data.length > WEFT_DNS_MESSAGE_MAX || writer->count[section - 1] == UINT16_MAX)
        return -ENOSPC;
    writer->section = (uint8_t)section;
    status = put_record(writer, name, type, rrclass, ttl, data);
    if (status < 0)
        weft_dns_writer_rewind(writer, &mark);
    else
        writer->count[section - 1]++;
    return status;
}

/* -- the whole -- */

int weft_dns_writer_reserve(weft_dns_writer *writer, size_t octets)
{
    if (octets > writer->room - writer->length)
        return -ENOSPC;
    writer->reserved = octets;
    return 0;
}

void weft_dns_writer_truncate(weft_dns_writer *writer)
{
    writer->out[2] |= 0x02;
}

void weft_dns_writer_set_rcode(weft_dns_writer *writer, unsigned rcode)
{
    writer->out[3] = (uint8_t)((writer->out[3] & 0xf0) | (rcode & 15));
}

weft_bytes weft_dns_writer_finish(weft_dns_writer *writer)
{
    for (size_t i = 0; i < 4; i++)
        dns_put16(writer->out + 4 + 2 * i, writer->count[i]);
    return weft_bytes_of(writer->out, writer->length);
}
