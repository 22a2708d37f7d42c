/* SPDX-License-Identifier: MIT */
/* What the tests of the DNS codec share. */
#ifndef TESTS_DNS_TEST_H
#define TESTS_DNS_TEST_H

#include <weft/wire/dns_data.h>

#include "support/support.h"

/* The octets that @p hex spells; spaces do not count. Valid until the fourth call from now. */
weft_bytes dns_hex(const char *hex);
/* The name that @p text spells. The test fails if it spells none. */
weft_dns_name dns_name(const char *text);
/* The name as text. Valid until the fourth call from now. */
const char *dns_text_of(const weft_dns_name *name);
/* The octets as hex. Valid until the fourth call from now. */
const char *dns_as_hex(weft_bytes bytes);
/* The test fails if the octets are not those of @p hex. */
void dns_assert_octets(weft_bytes bytes, const char *hex);

#endif
