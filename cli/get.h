/* SPDX-License-Identifier: MIT */
/* `weft get`: fetches URLs. */
#ifndef WEFT_CLI_GET_H
#define WEFT_CLI_GET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/time.h>

#include "command.h"
#include "options.h"

/* Exit statuses, besides those of every command. The numbers are those that curl users know. */
enum {
    GET_NO_NAME = 6,
    GET_NO_CONNECTION = 7,
    GET_TRUNCATED = 18,
    GET_STATUS = 22,
    GET_CANNOT_WRITE = 23,
    GET_TIMEOUT = 28,
    GET_CANNOT_RESUME = 33,
    GET_TLS = 35,
    GET_REDIRECTS = 47,
    GET_PROTOCOL = 56,
    GET_CERTIFICATE = 60,
    GET_LIMIT = 63,
    GET_CHECK = 90,
    GET_INTERRUPTED = 130
};

struct get_options {
    struct option_strings urls;
    const char *method; /* NULL: as the other options say */
    struct option_strings headers;
    struct option_strings data;
    struct option_strings forms;
    const char *upload; /* a file, "-" for standard input */
    const char *user;
    const char *output;
    bool remote_name;
    const char *resume; /* "-" or an offset; NULL: from the beginning */
    const char *check;  /* "sha256=HEX" */
    bool head;
    bool include;
    bool follow;
    size_t max_redirects;
    weft_time max_time;
    weft_time connect_timeout;
    uint64_t max_size;
    bool fail;
    bool compressed;
    bool ipv4, ipv6;
    const char *through;
    const char *cacert, *cert, *key;
    bool trust_anybody;
    bool quiet;
};

extern const struct command get_command;

/* Fetches. @values is a struct get_options. Returns the exit status. */
int get_run(const void *values);

#endif
