/* SPDX-License-Identifier: MIT */
#include "wire/dns/dns_test.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST 4096

weft_bytes dns_hex(const char *hex)
{
    static uint8_t buffers[4][MOST];
    static unsigned turn;
    uint8_t *out = buffers[turn++ % 4];
    size_t length = 0;

    for (; *hex; hex++) {
        char digits[3] = {0};

        if (*hex == ' ')
            continue;
        assert_true(length < MOST && hex[1] != '\0');
        memcpy(digits, hex++, 2);
        out[length++] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return weft_bytes_of(out, length);
}

weft_dns_name dns_name(const char *text)
{
    weft_dns_name name = WEFT_DNS_ROOT;

    assert_int_equal(weft_dns_name_parse(weft_bytes_from(text), NULL, &name), 0);
    return name;
}

const char *dns_text_of(const weft_dns_name *name)
{
    static char buffers[4][WEFT_DNS_NAME_TEXT];
    static unsigned turn;
    char *out = buffers[turn++ % 4];
    size_t length = weft_dns_name_text(name, out);

    assert_int_equal(length, strlen(out));
    return out;
}

const char *dns_as_hex(weft_bytes bytes)
{
    static char texts[4][2 * MOST + 1];
    static unsigned turn;
    char *text = texts[turn++ % 4];

    assert_true(bytes.length <= MOST);
    for (size_t i = 0; i < bytes.length; i++)
        snprintf(text + 2 * i, 3, "%02x", (uint8_t)bytes.data[i]);
    text[2 * bytes.length] = '\0';
    return text;
}

void dns_assert_octets(weft_bytes bytes, const char *hex)
{
    char wanted[2 * MOST + 1];

    snprintf(wanted, sizeof wanted, "%s", dns_as_hex(dns_hex(hex)));
    assert_string_equal(dns_as_hex(bytes), wanted);
}
