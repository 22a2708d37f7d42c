/* SPDX-License-Identifier: MIT */
/* Text and octets into a caller's room, or as much of them as fits. */
#include "wire/dns/dns_name.h"
#include "wire/dns/dns_text.h"

void dns_put(struct dns_output *output, weft_bytes bytes)
{
    if (output->full || bytes.length > output->room - output->length) {
        output->full = true;
        return;
    }
    if (bytes.length > 0)
        memcpy(output->out + output->length, bytes.data, bytes.length);
    output->length += bytes.length;
}

void dns_put_char(struct dns_output *output, char c)
{
    dns_put(output, weft_bytes_of(&c, 1));
}

void dns_put_text(struct dns_output *output, const char *text)
{
    dns_put(output, weft_bytes_from(text));
}

void dns_put_number(struct dns_output *output, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    dns_put(output, weft_bytes_of(digits + at, sizeof digits - at));
}

void dns_put_octets(struct dns_output *output, uint32_t value, size_t octets)
{
    while (octets-- > 0)
        dns_put_char(output, (char)(uint8_t)(value >> 8 * octets));
}

static void put_with_escapes(struct dns_output *output, weft_bytes bytes, const char *special)
{
    char escaped[4];

    for (size_t i = 0; i < bytes.length && !output->full; i++)
        dns_put(output, weft_bytes_of(escaped, dns_escape((uint8_t)bytes.data[i], special, escaped)));
}

void dns_put_quoted(struct dns_output *output, weft_bytes bytes)
{
    dns_put_char(output, '"');
    put_with_escapes(output, bytes, "\"\\");
    dns_put_char(output, '"');
}

void dns_put_escaped(struct dns_output *output, weft_bytes bytes)
{
    put_with_escapes(output, bytes, " \"\\();");
}

/* Groups of @p bits of the bytes, from the front, as digits of an alphabet. */
static void put_digits(struct dns_output *output, weft_bytes bytes, unsigned bits, const char *alphabet)
{
    unsigned held = 0, count = 0;

    for (size_t i = 0; i < bytes.length && !output->full; i++) {
        held = (held << 8 | (uint8_t)bytes.data[i]) & 0xffff;
        for (count += 8; count >= bits; count -= bits)
            dns_put_char(output, alphabet[held >> (count - bits) & ((1u << bits) - 1)]);
    }
    if (count > 0)
        dns_put_char(output, alphabet[held << (bits - count) & ((1u << bits) - 1)]);
}

void dns_put_hex(struct dns_output *output, weft_bytes bytes)
{
    put_digits(output, bytes, 4, "0123456789abcdef");
}

void dns_put_base32(struct dns_output *output, weft_bytes bytes)
{
    put_digits(output, bytes, 5, "0123456789abcdefghijklmnopqrstuv");
}

void dns_put_base64(struct dns_output *output, weft_bytes bytes)
{
    put_digits(output, bytes, 6, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    dns_put_text(output, bytes.length % 3 == 1 ? "==" : bytes.length % 3 == 2 ? "=" : "");
}
