/* SPDX-License-Identifier: MIT */
/* `weft cert`: an authority for development, and certificates that it signs. */
#ifndef WEFT_CLI_CERT_H
#define WEFT_CLI_CERT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include <weft/certificate.h>

#include "command.h"
#include "options.h"

struct cert_options {
    struct option_strings names;
    const char *cert, *key; /* where they are written; NULL: as the first name says */
    size_t days;
    bool client;
    weft_certificate_key type;
    bool force;
    const char *directory; /* of the authority; NULL: in the user's data */
    struct option_strings only;
    bool trust;
    const char *show; /* a file, "-" for standard input */
};

extern const struct command cert_command;

/* Makes, shows or explains. @values is a struct cert_options. Returns the exit status. */
int cert_run(const void *values);

/* The parts of it. */

#define CERT_AUTHORITY "authority.pem"
#define CERT_AUTHORITY_KEY "authority-key.pem"

/* Says on standard error what is wrong with @path, which may be NULL: @why, which is taken, or, without it, the error.
 * Returns EXIT_FAILED. */
int cert_complain(const char *path, int error, weft_failure *why);

/* cert_show.c: describes the chain in a file. Returns the exit status. */
int cert_show(const struct cert_options *options, weft_time now);
/* Describes one certificate of a chain; @indent is put before each line. Returns 0 or an error. */
int cert_describe(const weft_certificate *certificate, size_t index, weft_time now);
/* The day of @time, in UTC: "2027-02-21". In @buffer, which it returns. */
const char *cert_day(weft_time time, char buffer[16]);

/* cert_trust.c: says how programs come to trust the authority in the file @path. */
void cert_trust(const char *path);

#endif
