/* SPDX-License-Identifier: MIT */
/*
 * Compressed names (RFC 1035 §4.1.4), by which parsers have been led astray. Here
 * 1. a pointer leads to before the run of labels in which it stands, and never into the header: there is no loop;
 * 2. a name has at most 255 octets in full, and takes at most 128 pointers, one before each label: a chain of bare
 *    pointers is refused where it begins;
 * 3. each label and each pointer is a step, and a message has so many of them and no more. What the last four targets
 *    stand for is remembered, so names that are pointed to again and again cost one step. Beyond the bound are only
 *    messages of tens of kilobytes whose names have many dozens of labels and no order.
 */
#include "wire/dns/dns_decompress.h"

#define POINTERS_MOST (WEFT_DNS_LABELS_MAX + 1)
#define STEPS_AT_LEAST 16384
#define STEPS_PER_OCTET 8

struct walk {
    size_t here, run; /* the next octet; where its run of labels begins */
    size_t limit;     /* nothing of the run is read from there on */
    size_t after;     /* behind the first pointer; 0 as long as there was none */
    size_t target;    /* of the first pointer, if it is to be remembered */
    size_t before;    /* the octets of the name before that */
    unsigned pointers;
    bool compressed;
};

int dns_reader_fail(weft_dns_reader *reader, const char *problem)
{
    reader->problem = problem;
    return WEFT_EPROTOCOL;
}

void dns_decompress_init(weft_dns_reader *reader)
{
    reader->work = STEPS_AT_LEAST + STEPS_PER_OCTET * (uint32_t)reader->message.length;
    reader->next_target = 0;
    for (size_t i = 0; i < WEFT_DNS_READER_NAMES; i++)
        reader->targets[i].target = 0;
}

static uint8_t octet_at(const weft_dns_reader *reader, size_t at)
{
    return (uint8_t)reader->message.data[at];
}

/* Adds @p length octets to the name. Returns whether the root's zero has room behind them. */
static bool add(weft_dns_name *name, const void *octets, size_t length)
{
    if (name->length + length >= WEFT_DNS_NAME_MAX)
        return false;
    memcpy(name->octets + name->length, octets, length);
    name->length = (uint8_t)(name->length + length);
    return true;
}

/* -- targets that are remembered -- */

/*
 * Adds the name that @p target stands for, if that is remembered. Returns 1 if it is not, 0 if that was the end of the
 * name, or a negative error.
 */
static int recall(weft_dns_reader *reader, size_t target, weft_dns_name *name)
{
    for (size_t i = 0; i < WEFT_DNS_READER_NAMES; i++) {
        const weft_dns_name *end = &reader->targets[i].name;

        if (reader->targets[i].target != target)
            continue;
        if (reader->targets[i].pointers + 1u > POINTERS_MOST)
            return dns_reader_fail(reader, "a name takes too many pointers");
        if (!add(name, end->octets, end->length - 1u))
            return dns_reader_fail(reader, "a name has more than 255 octets");
        name->octets[name->length++] = 0;
        return 0;
    }
    return 1;
}

static void remember(weft_dns_reader *reader, const struct walk *walk, const weft_dns_name *name)
{
    size_t i = reader->next_target++ % WEFT_DNS_READER_NAMES;

    reader->targets[i].target = (uint16_t)walk->target;
    reader->targets[i].pointers = (uint8_t)(walk->pointers - 1);
    reader->targets[i].name.length = (uint8_t)(name->length - walk->before);
    memcpy(reader->targets[i].name.octets, name->octets + walk->before, reader->targets[i].name.length);
}

/* -- steps -- */

/* Follows a pointer. Returns 1, 0 at the end of the name, or a negative error. */
static int follow(weft_dns_reader *reader, struct walk *walk, weft_dns_name *name)
{
    size_t target;
    int status = 1;

    if (!walk->compressed)
        return dns_reader_fail(reader, "a name is compressed where none may be");
    if (walk->limit - walk->here < 2)
        return dns_reader_fail(reader, "a compressed name is cut off");
    target = (size_t)(octet_at(reader, walk->here) & 0x3f) << 8 | octet_at(reader, walk->here + 1);
    if (target < WEFT_DNS_HEADER_SIZE || target >= walk->run)
        return dns_reader_fail(reader, "a compressed name points forward, to itself or into the header");
    if (++walk->pointers > POINTERS_MOST)
        return dns_reader_fail(reader, "a name takes too many pointers");
    if (walk->after == 0) {
        walk->after = walk->here + 2;
        walk->before = name->length;
        status = recall(reader, target, name);
        walk->target = status == 1 ? target : 0;
    }
    walk->here = walk->run = target;
    walk->limit = reader->message.length;
    return status;
}

/* Adds a label. Returns 1 or a negative error. */
static int take_label(weft_dns_reader *reader, struct walk *walk, weft_dns_name *name)
{
    size_t length = octet_at(reader, walk->here);

    if (length > WEFT_DNS_LABEL_MAX)
        return dns_reader_fail(reader, "a label is of an unknown kind");
    if (walk->limit - walk->here < 1 + length)
        return dns_reader_fail(reader, "a name is cut off");
    if (!add(name, reader->message.data + walk->here, 1 + length))
        return dns_reader_fail(reader, "a name has more than 255 octets");
    walk->here += 1 + length;
    return 1;
}

static int step(weft_dns_reader *reader, struct walk *walk, weft_dns_name *name)
{
    uint8_t octet;

    if (walk->here >= walk->limit)
        return dns_reader_fail(reader, "a name is cut off");
    if (reader->work == 0)
        return dns_reader_fail(reader, "the compressed names are too much work");
    reader->work--;
    octet = octet_at(reader, walk->here);
    if (octet >= 0xc0)
        return follow(reader, walk, name);
    if (octet > 0)
        return take_label(reader, walk, name);
    name->octets[name->length++] = 0;
    return 0;
}

size_t dns_decompress(weft_dns_reader *reader, size_t at, size_t end, bool compressed, weft_dns_name *ret)
{
    struct walk walk = {.here = at, .run = at, .limit = end, .compressed = compressed};
    int status;

    ret->length = 0;
    while ((status = step(reader, &walk, ret)) > 0)
        ;
    if (status < 0)
        return 0;
    if (walk.target > 0)
        remember(reader, &walk, ret);
    return walk.after > 0 ? walk.after : walk.here + 1;
}
