/* SPDX-License-Identifier: MIT */
/* What `weft web` understands: its arguments, help, manual page and completion come from here. */
#include "web.h"

#define SERVED "What is served"
#define WHERE "Where and how"
#define LIMITS "Limits"
#define DEADLINES "Deadlines"
#define OTHER "Other"

enum { MANY = 10000000 };
#define LONGEST WEFT_HOURS(24 * 7)

static const char *const log_words[] = {"common", "json", "none", NULL};

static const struct option options[] = {
    {.name = "index",
     .letter = 'i',
     OPTION_SETS_STRINGS(struct web_options, index),
     .argument = "NAME",
     .initial = "index.html",
     .group = SERVED,
     .help = "The file that is served for its folder. May be repeated: the first that exists is taken."},
    {.name = "no-listing",
     OPTION_CLEARS_FLAG(struct web_options, listing),
     .group = SERVED,
     .help = "Answer 404 for a folder without an index file, instead of listing it."},
    {.name = "hidden",
     OPTION_SETS_FLAG(struct web_options, hidden),
     .group = SERVED,
     .help = "Serve and list files and folders whose names begin with a dot, too."},
    {.name = "precompressed",
     OPTION_SETS_FLAG(struct web_options, precompressed),
     .group = SERVED,
     .help = "Send FILE.br, FILE.zst or FILE.gz for FILE where they exist and the client takes them. This is the "
             "default."},
    {.name = "no-precompressed",
     OPTION_CLEARS_FLAG(struct web_options, precompressed),
     .group = SERVED,
     .help = "Send every file as it is."},

    {.name = "listen",
     .letter = 'l',
     OPTION_SETS_ENDPOINTS(struct web_options, listen),
     .argument = "URL",
     .initial = "tcp://127.0.0.1:8080",
     .group = WHERE,
     .help = "Where to listen: tcp://HOST:PORT, unix:///PATH, fd://N, or just PORT (of 127.0.0.1), HOST:PORT or :PORT "
             "(of every address). Port 0 takes a free one. The real address is printed. May be repeated."},
    {.name = "workers",
     .letter = 'w',
     OPTION_SETS_INTEGER(struct web_options, workers),
     .argument = "N",
     .otherwise = "one for each processor",
     .minimum = 1,
     .maximum = 256,
     .group = WHERE,
     .help = "How many threads serve, with one event loop each."},
    {.name = "backlog",
     OPTION_SETS_INTEGER(struct web_options, backlog),
     .argument = "N",
     .initial = "4096",
     .minimum = 1,
     .maximum = 65535,
     .group = WHERE,
     .help = "How many new connections the system holds until they are accepted; it may allow fewer."},
    {.name = "log",
     OPTION_SETS_CHOICE(struct web_options, log),
     .argument = "FORMAT",
     .words = log_words,
     .initial = "common",
     .group = WHERE,
     .help = "How requests are logged on standard output: common (the format that most servers write), json (an "
             "object in each line) or none."},
    {.name = "quiet",
     .letter = 'q',
     OPTION_SETS_FLAG(struct web_options, quiet),
     .group = WHERE,
     .help = "Write no notices to standard error but the addresses and errors."},

    {.name = "max-connections",
     OPTION_SETS_INTEGER(struct web_options, max_connections),
     .argument = "N",
     .initial = "10000",
     .minimum = 1,
     .maximum = MANY,
     .may_be_unlimited = true,
     .group = LIMITS,
     .help = "Connections at once, divided among the workers and counted for each address of --listen; more wait. Also "
             "takes 'unlimited'."},
    {.name = "max-per-address",
     OPTION_SETS_INTEGER(struct web_options, max_per_address),
     .argument = "N",
     .initial = "unlimited",
     .minimum = 1,
     .maximum = MANY,
     .may_be_unlimited = true,
     .group = LIMITS,
     .help = "Connections at once from one IPv4 address or IPv6 /64 network, in each worker; more are reset. A proxy, "
             "or many people "
             "behind one router, share an address."},
    {.name = "max-body",
     OPTION_SETS_SIZE(struct web_options, max_body),
     .argument = "SIZE",
     .initial = "1m",
     .minimum = 1,
     .maximum = UINT64_C(1) << 40,
     .may_be_unlimited = true,
     .group = LIMITS,
     .help = "The longest request body that is read (and dropped) before the answer; a longer one gets 413. Also takes "
             "'unlimited'."},

    {.name = "header-timeout",
     OPTION_SETS_DURATION(struct web_options, header_timeout),
     .argument = "TIME",
     .initial = "30s",
     .minimum = WEFT_MILLISECONDS(1),
     .maximum = LONGEST,
     .may_be_unlimited = true,
     .group = DEADLINES,
     .help = "Until the header of a request is complete, from its first byte or from the start of the connection. "
             "This and the following also take 'unlimited'."},
    {.name = "body-timeout",
     OPTION_SETS_DURATION(struct web_options, body_timeout),
     .argument = "TIME",
     .initial = "1m",
     .minimum = WEFT_MILLISECONDS(1),
     .maximum = LONGEST,
     .may_be_unlimited = true,
     .group = DEADLINES,
     .help = "Until the body of a request is complete."},
    {.name = "idle-timeout",
     OPTION_SETS_DURATION(struct web_options, idle_timeout),
     .argument = "TIME",
     .initial = "1m",
     .minimum = WEFT_MILLISECONDS(1),
     .maximum = LONGEST,
     .may_be_unlimited = true,
     .group = DEADLINES,
     .help = "How long a connection may wait for its next request."},
    {.name = "write-timeout",
     OPTION_SETS_DURATION(struct web_options, write_timeout),
     .argument = "TIME",
     .initial = "30s",
     .minimum = WEFT_MILLISECONDS(1),
     .maximum = LONGEST,
     .may_be_unlimited = true,
     .group = DEADLINES,
     .help = "How long a client may take nothing of what is sent to it."},
    {.name = "grace",
     OPTION_SETS_DURATION(struct web_options, grace),
     .argument = "TIME",
     .initial = "10s",
     .minimum = WEFT_MILLISECONDS(1),
     .maximum = LONGEST,
     .may_be_unlimited = true,
     .group = DEADLINES,
     .help = "How long requests may take to finish after SIGTERM or SIGINT. A second signal ends at once."},

    OPTION_HELP_ENTRY(OTHER),
};

static const struct operand operands[] = {
    {.name = "DIR",
     .kind = OPERAND_DIRECTORY,
     .initial = ".",
     .offset = offsetof(struct web_options, directory),
     .help = "The folder. Nothing outside of it can be reached, by symbolic links neither."},
};

static const struct example examples[] = {
    {"weft web", "Serve the current folder on http://127.0.0.1:8080/, to this machine only."},
    {"weft web --listen :80 --log json /srv/site", "Serve /srv/site to everyone, with a log for programs to read."},
    {"weft web -l 0 -l unix:///run/site.sock public", "Serve public on a free port and on a UNIX socket."},
};

const struct command web_command = {
    .name = "web",
    .summary = "serve a folder over HTTP",
    .description = "Serves the files of a folder over HTTP/1.1, and lists folders that have no index file.",
    .revised = "November 22, 2026",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .operands = operands,
    .operand_count = sizeof(operands) / sizeof(operands[0]),
    .examples = examples,
    .example_count = sizeof(examples) / sizeof(examples[0]),
    .values_size = sizeof(struct web_options),
    .run = web_run,
};
