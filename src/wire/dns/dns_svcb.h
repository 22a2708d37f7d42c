/* SPDX-License-Identifier: MIT */
/* The parameters of SVCB and HTTPS records (RFC 9460 §2). */
#ifndef WIRE_DNS_SVCB_H
#define WIRE_DNS_SVCB_H

#include "wire/dns/dns_text.h"

/* Whether these are parameters: keys in rising order, values as their keys want them. */
bool dns_svcb_check(weft_bytes params);
/* As text: " key=value" for each. */
void dns_svcb_put(struct dns_output *output, weft_bytes params);
/* Reads all that follows. Returns 0, -EINVAL or -ENOSPC. */
int dns_svcb_scan(struct dns_scan *scan, struct dns_output *output);

#endif
