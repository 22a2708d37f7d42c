/* SPDX-License-Identifier: MIT */
/*
 * The text is gone over twice: first it is counted what there is, then four arrays of exactly that size are filled. So
 * a file of 150,000 names, as blocking lists have them, takes four allocations and some 30 bytes a name.
 *
 * An index of 0 means none; what is meant is the entry before. Chains keep the order of the file, for the file is put
 * into them from its end.
 */
#include "net/hosts.h"

#include <weft/error.h>
#include <weft/memory.h>

#include "base/address_parse.h"
#include "net/words.h"

struct hosts_line {
    weft_address address;
    uint32_t name; /* 1 + the index of its first name */
    uint32_t next; /* 1 + the index of the next line in the chain of its address */
};

struct hosts_name {
    uint32_t offset; /* into text */
    uint32_t line;
    uint32_t next; /* 1 + the index of the next name in the chain */
    uint8_t length;
};

struct hosts {
    uint8_t secret[SIPHASH_KEY_SIZE];
    struct hosts_line *lines;
    struct hosts_name *names;
    uint32_t *chains; /* `buckets` of names, then as many of lines */
    char *text;       /* names, small letters */
    size_t line_count, name_count, text_length, buckets;
    bool complete;
};

/* -- lines -- */

static weft_bytes without_dots(weft_bytes name)
{
    while (name.length > 0 && name.data[name.length - 1] == '.')
        name.length--;
    return name;
}

/* The address that a line begins with. An IPv6 address may have a zone, whose number is kept. */
static bool read_address(weft_bytes word, weft_address *ret)
{
    size_t percent = weft_bytes_find(word, '%');
    uint64_t scope = 0;

    memset(ret, 0, sizeof *ret);
    if (address_parse_ipv4(word, ret->ip)) {
        ret->family = WEFT_ADDRESS_IPV4;
        return true;
    }
    if (percent != SIZE_MAX && weft_bytes_to_uint64(weft_bytes_skip(word, percent + 1), UINT32_MAX, &scope) < 0)
        return false;
    ret->family = WEFT_ADDRESS_IPV6;
    ret->scope_id = (uint32_t)scope;
    return address_parse_ipv6(weft_bytes_first(word, percent), ret->ip);
}

/* Takes the next line that has an address off the front of @p text; its names are left in @p ret_names. */
static bool next_line(weft_bytes *text, weft_address *ret_address, weft_bytes *ret_names)
{
    weft_bytes line, word;

    while (lines_next(text, &line)) {
        line = weft_bytes_first(line, weft_bytes_find(line, '#'));
        if (!words_next(&line, &word) || !read_address(word, ret_address))
            continue;
        *ret_names = line;
        return true;
    }
    return false;
}

/* Takes the next name of a line; one that could be none in the DNS is skipped. */
static bool next_name(weft_bytes *names, weft_bytes *ret)
{
    while (words_next(names, ret)) {
        *ret = without_dots(*ret);
        if (ret->length > 0 && ret->length <= 254)
            return true;
    }
    return false;
}

static void count_all(struct hosts *hosts, weft_bytes text)
{
    weft_address address;
    weft_bytes names, name;

    while (next_line(&text, &address, &names)) {
        if (hosts->line_count == HOSTS_LINES) {
            hosts->complete = false;
            return;
        }
        hosts->line_count++;
        while (next_name(&names, &name)) {
            if (hosts->name_count == HOSTS_NAMES) {
                hosts->complete = false;
                return;
            }
            hosts->name_count++;
            hosts->text_length += name.length;
        }
    }
}

/* -- the table -- */

static char small(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static size_t chain_of_name(const struct hosts *hosts, weft_bytes small_name)
{
    return siphash_1_3(hosts->secret, small_name) & (hosts->buckets - 1);
}

static size_t chain_of_address(const struct hosts *hosts, const weft_address *address)
{
    weft_bytes ip = weft_bytes_of(address->ip, address->family == WEFT_ADDRESS_IPV4 ? 4 : 16);

    return hosts->buckets + (siphash_1_3(hosts->secret, ip) & (hosts->buckets - 1));
}

static bool allocate_all(struct hosts *hosts)
{
    size_t most = hosts->name_count > hosts->line_count ? hosts->name_count : hosts->line_count;

    for (hosts->buckets = 16; hosts->buckets < most; hosts->buckets *= 2)
        ;
    hosts->lines = weft_allocate_zeroed(hosts->line_count + 1, sizeof *hosts->lines);
    hosts->names = weft_allocate_zeroed(hosts->name_count + 1, sizeof *hosts->names);
    hosts->chains = weft_allocate_zeroed(2 * hosts->buckets, sizeof *hosts->chains);
    hosts->text = weft_allocate(hosts->text_length + 1);
    return hosts->lines && hosts->names && hosts->chains && hosts->text;
}

static weft_bytes name_at(const struct hosts *hosts, size_t index)
{
    return weft_bytes_of(hosts->text + hosts->names[index].offset, hosts->names[index].length);
}

static void add_names(struct hosts *hosts, weft_bytes names, size_t line, size_t *count, size_t *length)
{
    weft_bytes name;

    while (*count < hosts->name_count && next_name(&names, &name)) {
        if (hosts->lines[line].name == 0)
            hosts->lines[line].name = (uint32_t)*count + 1;
        hosts->names[*count] =
            (struct hosts_name){.offset = (uint32_t)*length, .line = (uint32_t)line, .length = (uint8_t)name.length};
        for (size_t i = 0; i < name.length; i++)
            hosts->text[(*length)++] = small(name.data[i]);
        ++*count;
    }
}

static void fill(struct hosts *hosts, weft_bytes text)
{
    size_t count = 0, length = 0;
    weft_bytes names;

    for (size_t line = 0; line < hosts->line_count && next_line(&text, &hosts->lines[line].address, &names); line++)
        add_names(hosts, names, line, &count, &length);
    for (size_t i = hosts->name_count; i-- > 0;) {
        uint32_t *chain = &hosts->chains[chain_of_name(hosts, name_at(hosts, i))];
        hosts->names[i].next = *chain;
        *chain = (uint32_t)i + 1;
    }
    for (size_t i = hosts->line_count; i-- > 0;) {
        uint32_t *chain = &hosts->chains[chain_of_address(hosts, &hosts->lines[i].address)];
        hosts->lines[i].next = *chain;
        *chain = (uint32_t)i + 1;
    }
}

int hosts_new(weft_bytes text, const uint8_t secret[SIPHASH_KEY_SIZE], struct hosts **ret)
{
    struct hosts *hosts = weft_allocate_zeroed(1, sizeof *hosts);

    if (!hosts)
        return WEFT_ENOMEM;
    memcpy(hosts->secret, secret, SIPHASH_KEY_SIZE);
    hosts->complete = text.length <= HOSTS_BYTES;
    text = weft_bytes_first(text, HOSTS_BYTES);
    count_all(hosts, text);
    if (!allocate_all(hosts)) {
        hosts_free(hosts);
        return WEFT_ENOMEM;
    }
    fill(hosts, text);
    *ret = hosts;
    return 0;
}

void hosts_free(struct hosts *hosts)
{
    if (!hosts)
        return;
    weft_release(hosts->lines);
    weft_release(hosts->names);
    weft_release(hosts->chains);
    weft_release(hosts->text);
    weft_release(hosts);
}

bool hosts_complete(const struct hosts *hosts)
{
    return hosts->complete;
}

size_t hosts_count(const struct hosts *hosts)
{
    return hosts->name_count;
}

/* -- looking up -- */

static bool same_address(const weft_address *a, const weft_address *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, a->family == WEFT_ADDRESS_IPV4 ? 4 : 16) == 0;
}

static bool is_among(const weft_address *addresses, size_t count, const weft_address *address)
{
    for (size_t i = 0; i < count; i++)
        if (same_address(&addresses[i], address))
            return true;
    return false;
}

size_t hosts_find(const struct hosts *hosts, weft_bytes name, weft_address *ret, size_t room)
{
    char buffer[256];
    size_t count = 0;

    name = without_dots(name);
    if (name.length == 0 || name.length > 254)
        return 0;
    for (size_t i = 0; i < name.length; i++)
        buffer[i] = small(name.data[i]);
    name = weft_bytes_of(buffer, name.length);
    for (uint32_t next = hosts->chains[chain_of_name(hosts, name)]; next != 0 && count < room;) {
        const struct hosts_name *entry = &hosts->names[next - 1];
        const weft_address *address = &hosts->lines[entry->line].address;

        if (weft_bytes_equal(name_at(hosts, next - 1), name) && !is_among(ret, count, address))
            ret[count++] = *address;
        next = entry->next;
    }
    return count;
}

weft_bytes hosts_name_of(const struct hosts *hosts, const weft_address *address)
{
    if (address->family != WEFT_ADDRESS_IPV4 && address->family != WEFT_ADDRESS_IPV6)
        return weft_bytes_of(NULL, 0);
    for (uint32_t next = hosts->chains[chain_of_address(hosts, address)]; next != 0;) {
        const struct hosts_line *line = &hosts->lines[next - 1];

        if (line->name != 0 && same_address(&line->address, address))
            return name_at(hosts, line->name - 1);
        next = line->next;
    }
    return weft_bytes_of(NULL, 0);
}
