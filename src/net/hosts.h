/* SPDX-License-Identifier: MIT */
/*
 * /etc/hosts: names and addresses that nobody is asked for (hosts(5)).
 *
 * A file is read once into a table that does not change; a changed file makes a new one.
 */
#ifndef NET_HOSTS_H
#define NET_HOSTS_H

#include <weft/address.h>

#include "base/siphash.h"

/* What is taken of a file at most; the rest is left out, and `complete` says so. */
#define HOSTS_BYTES ((size_t)32 << 20)
#define HOSTS_LINES ((size_t)1 << 19)
#define HOSTS_NAMES ((size_t)1 << 20)

struct hosts;

/*
 * Reads the text of the file. Lines that are not understood are skipped.
 * @param secret  copied: against whoever chooses the names in the file
 * @param ret     set on success only: to be freed with hosts_free
 * @return 0 or WEFT_ENOMEM
 */
int hosts_new(weft_bytes text, const uint8_t secret[SIPHASH_KEY_SIZE], struct hosts **ret);
/* NULL does nothing. */
void hosts_free(struct hosts *hosts);

/* Whether all of the text was within the limits. */
bool hosts_complete(const struct hosts *hosts);
/* How many names there are, each counted as often as it stands there. */
size_t hosts_count(const struct hosts *hosts);
/*
 * The addresses of @p name, compared without case; dots at its end do not count. Each is given once, in the order of
 * the file.
 * @return how many were put into @p ret, of @p room
 */
size_t hosts_find(const struct hosts *hosts, weft_bytes name, weft_address *ret, size_t room);
/* The first name of the first line with this address: *until* hosts_free; empty if there is none. */
weft_bytes hosts_name_of(const struct hosts *hosts, const weft_address *address);

#endif
