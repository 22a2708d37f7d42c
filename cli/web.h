/* SPDX-License-Identifier: MIT */
/* `weft web`: a folder over HTTP. */
#ifndef WEFT_CLI_WEB_H
#define WEFT_CLI_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/time.h>

#include "command.h"
#include "options.h"

/* The access log, one line for each answered request on standard output. In the order of the words of --log. */
enum web_log { WEB_LOG_COMMON, WEB_LOG_JSON, WEB_LOG_NONE };

/* Every field is set: a limit is never 0, and "unlimited" is WEFT_UNLIMITED, WEFT_NEVER or OPTION_SIZE_UNLIMITED. */
struct web_options {
    const char *directory;
    struct option_endpoints listen;
    size_t workers; /* 0: one for each processor */
    size_t backlog;
    struct option_strings index; /* names, the first that exists is served */
    bool listing;
    bool hidden;
    bool precompressed;
    enum web_log log;
    bool quiet;
    size_t max_connections; /* of the process */
    size_t max_per_address;
    uint64_t max_body;
    uint64_t min_rate; /* bytes a second */
    weft_time header_timeout;
    weft_time body_timeout;
    weft_time idle_timeout;
    weft_time write_timeout;
    weft_time grace;
};

extern const struct command web_command;

/* Serves until it is stopped. @values is a struct web_options. Returns the exit status. */
int web_run(const void *values);

#endif
