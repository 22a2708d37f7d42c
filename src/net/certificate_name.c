/* SPDX-License-Identifier: MIT */
/* The names that a certificate can be issued for: of hosts, addresses and mailboxes. */
#include "net/certificate.h"

#include <weft/address.h>

#include "base/address_parse.h"
#include "net/url.h"

#define LABEL_MOST 63

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* RFC 1123 §2.1: letters, digits and hyphens within (and, as hosts of containers have them, underscores). */
static const char *problem_of_host(weft_bytes host)
{
    if (!url_is_name(host))
        return "that is neither a host's name nor an address, alone, without a scheme or a port; in other letters than "
               "ASCII's it is written as xn--...";
    while (host.length > 0) {
        size_t dot = weft_bytes_find(host, '.');
        weft_bytes label = weft_bytes_first(host, dot);

        if (label.length > LABEL_MOST)
            return "a part between dots is longer than 63 bytes";
        if (label.data[0] == '-' || label.data[label.length - 1] == '-')
            return "a part between dots begins or ends with a hyphen";
        host = dot == SIZE_MAX ? weft_bytes_of(NULL, 0) : weft_bytes_skip(host, dot + 1);
    }
    return NULL;
}

/* Those who verify take a wildcard for one whole label, the first, and not directly below the root (RFC 9525 §6.3). */
static const char *problem_of_wildcard(weft_bytes name)
{
    weft_bytes below = weft_bytes_skip(name, 2);

    if (weft_bytes_find(below, '*') != SIZE_MAX || !weft_bytes_starts_with(name, weft_bytes_from("*.")))
        return "'*' stands for the whole of the first part, and nowhere else";
    if (weft_bytes_find(below, '.') == SIZE_MAX)
        return "clients refuse '*' above a single part: two are needed, as in *.example.test";
    return problem_of_host(below);
}

static const char *problem_of_mailbox(weft_bytes name)
{
    size_t at = weft_bytes_find(name, '@');
    weft_bytes local = weft_bytes_first(name, at);

    if (local.length == 0 || local.length > 64)
        return "there is nothing, or too much, before the '@'";
    for (size_t i = 0; i < local.length; i++)
        if (local.data[i] <= ' ' || local.data[i] > '~' || strchr("\"(),:;<>[\\]", local.data[i]))
            return "that is no mailbox";
    return problem_of_host(weft_bytes_skip(name, at + 1));
}

/* An address, perhaps in the brackets of a URL. */
static bool parse_address(weft_bytes text, struct certificate_name *ret)
{
    weft_address address = {.family = WEFT_ADDRESS_IPV4};

    if (text.length > 2 && text.data[0] == '[' && text.data[text.length - 1] == ']')
        text = weft_bytes_of(text.data + 1, text.length - 2);
    else if (address_parse_ipv4(text, address.ip))
        ret->ip_length = 4;
    if (ret->ip_length == 0) {
        if (!address_parse_ipv6(text, address.ip))
            return false;
        address.family = WEFT_ADDRESS_IPV6;
        ret->ip_length = 16;
    }
    ret->kind = WEFT_CERTIFICATE_NAME_IP;
    memcpy(ret->ip, address.ip, sizeof ret->ip);
    weft_address_host(&address, ret->text);
    return true;
}

int certificate_name_parse(const char *text, struct certificate_name *ret, weft_failure **ret_why)
{
    weft_bytes name = weft_bytes_from(text);
    const char *problem = NULL;

    *ret = (struct certificate_name){.kind = WEFT_CERTIFICATE_NAME_DNS};
    if (parse_address(name, ret))
        return 0;
    if (name.length > 0 && name.data[name.length - 1] == '.')
        name.length--;
    if (name.length >= sizeof ret->text) {
        problem = "it is too long";
    } else if (weft_bytes_find(name, '@') != SIZE_MAX) {
        ret->kind = WEFT_CERTIFICATE_NAME_EMAIL;
        problem = problem_of_mailbox(name);
    } else {
        problem = weft_bytes_find(name, '*') != SIZE_MAX ? problem_of_wildcard(name) : problem_of_host(name);
    }
    if (problem)
        return certificate_fail(ret_why, WEFT_ECERTNAME, "'%.100s': %s", text, problem);
    for (size_t i = 0; i < name.length; i++)
        ret->text[i] = lower(name.data[i]);
    return 0;
}

GENERAL_NAME *certificate_name_make(const struct certificate_name *name)
{
    static const int kinds[] = {GEN_DNS, GEN_IPADD, GEN_EMAIL};
    bool is_ip = name->kind == WEFT_CERTIFICATE_NAME_IP;
    const void *data = is_ip ? (const void *)name->ip : name->text;
    ASN1_STRING *value = ASN1_STRING_type_new(is_ip ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
    GENERAL_NAME *general = GENERAL_NAME_new();

    if (!value || !general ||
        ASN1_STRING_set(value, data, is_ip ? (int)name->ip_length : (int)strlen(name->text)) != 1) {
        ASN1_STRING_free(value);
        GENERAL_NAME_free(general);
        return NULL;
    }
    GENERAL_NAME_set0_value(general, kinds[name->kind], value);
    return general;
}
