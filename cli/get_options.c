/* SPDX-License-Identifier: MIT */
/* What `weft get` understands: its arguments, help, manual page and completion come from here. */
#include "get.h"

#define REQUEST "The request"
#define OUTPUT "Where it goes"
#define CONNECTION "The connection"
#define LIMITS "Limits"
#define OTHER "Other"

#define LONGEST WEFT_HOURS(24 * 7)

static const struct option options[] = {
    {.name = "request",
     .letter = 'X',
     OPTION_SETS_STRING(struct get_options, method),
     .argument = "METHOD",
     .otherwise = "GET, or what the other options need",
     .group = REQUEST,
     .help = "The method."},
    {.name = "head",
     .letter = 'I',
     OPTION_SETS_FLAG(struct get_options, head),
     .group = REQUEST,
     .help = "Ask for the header only (HEAD), and print it."},
    {.name = "header",
     .letter = 'H',
     OPTION_SETS_STRINGS(struct get_options, headers),
     .argument = "FIELD",
     .group = REQUEST,
     .help =
         "A field to send, as 'Name: value'. Authorization, Cookie and Proxy-Authorization are never sent to another "
         "origin than the URL's. May be repeated."},
    {.name = "data",
     .letter = 'd',
     OPTION_SETS_STRINGS(struct get_options, data),
     .argument = "DATA",
     .group = REQUEST,
     .help = "Send DATA as a form does (POST, application/x-www-form-urlencoded), as it is given; @FILE sends a file's "
             "content, @- standard input. If repeated, joined with '&'."},
    {.name = "form",
     .letter = 'F',
     OPTION_SETS_STRINGS(struct get_options, forms),
     .argument = "FIELD",
     .group = REQUEST,
     .help = "Send a field of a form with files (POST, multipart/form-data): NAME=VALUE, or NAME=@FILE, perhaps with "
             "';type=TYPE' behind it. May be repeated."},
    {.name = "upload",
     .letter = 'T',
     OPTION_SETS_STRING(struct get_options, upload),
     .argument = "FILE",
     .group = REQUEST,
     .help = "Send a file (PUT), piece by piece; - sends standard input, as it comes."},
    {.name = "user",
     .letter = 'u',
     OPTION_SETS_STRING(struct get_options, user),
     .argument = "USER:PASSWORD",
     .group = REQUEST,
     .help =
         "Authenticate (basic), to the URL's own origin only. Other users of this machine may see it in the list of "
         "processes."},
    {.name = "follow",
     .letter = 'L',
     OPTION_SETS_FLAG(struct get_options, follow),
     .group = REQUEST,
     .help = "Follow redirects. This is the default."},
    {.name = "no-follow",
     OPTION_CLEARS_FLAG(struct get_options, follow),
     .group = REQUEST,
     .help = "Print a redirect's response instead of following it."},
    {.name = "max-redirects",
     OPTION_SETS_INTEGER(struct get_options, max_redirects),
     .argument = "N",
     .initial = "10",
     .minimum = 1,
     .maximum = 1000,
     .group = REQUEST,
     .help = "How many redirects are followed."},
    {.name = "compressed",
     OPTION_SETS_FLAG(struct get_options, compressed),
     .group = REQUEST,
     .help = "Ask for gzip or deflate, and decode it."},

    {.name = "output",
     .letter = 'o',
     OPTION_SETS_STRING(struct get_options, output),
     .argument = "FILE",
     .otherwise = "standard output",
     .group = OUTPUT,
     .help = "Write to FILE; - is standard output. It is written in place, as it comes, and gets the time that the "
             "server says it was changed. What is refused before its content leaves FILE as it was; what fails on the "
             "way leaves what came, for --continue."},
    {.name = "remote-name",
     .letter = 'O',
     OPTION_SETS_FLAG(struct get_options, remote_name),
     .group = OUTPUT,
     .help = "Write to a file in this folder that is called as the last part of the URL's path."},
    {.name = "continue",
     .letter = 'C',
     OPTION_SETS_STRING(struct get_options, resume),
     .argument = "OFFSET",
     .group = OUTPUT,
     .help =
         "Go on with a file that is there in part; '-' goes on where it ends. If the server says that the file has "
         "changed since, or knows no ranges, it is fetched from its beginning. A server that sends anything but the "
         "rest of the same file is refused."},
    {.name = "check",
     OPTION_SETS_STRING(struct get_options, check),
     .argument = "sha256=HEX",
     .group = OUTPUT,
     .help = "Fail, with status 90, unless the content has this digest. A file that --continue finds complete is read "
             "for it, and not changed."},
    {.name = "include",
     .letter = 'i',
     OPTION_SETS_FLAG(struct get_options, include),
     .group = OUTPUT,
     .help = "Print the response's header before its content; on a terminal, without control characters."},
    {.name = "fail",
     .letter = 'f',
     OPTION_SETS_FLAG(struct get_options, fail),
     .group = OUTPUT,
     .help =
         "Fail, with status 22 and without content, if the server answers with a status of 400 or above. This is the "
         "default."},
    {.name = "no-fail",
     OPTION_CLEARS_FLAG(struct get_options, fail),
     .group = OUTPUT,
     .help = "Print such an answer like any other."},
    {.name = "quiet",
     .letter = 'q',
     OPTION_SETS_FLAG(struct get_options, quiet),
     .group = OUTPUT,
     .help = "Show no progress. It is only shown on a terminal, on standard error."},

    {.name = "ipv4",
     .letter = '4',
     OPTION_SETS_FLAG(struct get_options, ipv4),
     .group = CONNECTION,
     .help = "Use IPv4 only."},
    {.name = "ipv6",
     .letter = '6',
     OPTION_SETS_FLAG(struct get_options, ipv6),
     .group = CONNECTION,
     .help = "Use IPv6 only."},
    {.name = "through",
     OPTION_SETS_STRING(struct get_options, through),
     .argument = "ENDPOINT",
     .group = CONNECTION,
     .help = "Connect to this endpoint instead of the URL's host: unix:///run/x.sock or tcp://ADDRESS:PORT."},
    {.name = "cacert",
     OPTION_SETS_STRING(struct get_options, cacert),
     .argument = "FILE",
     .otherwise = "those that the system trusts",
     .group = CONNECTION,
     .help = "For https: trust the authorities in FILE (PEM), and no others."},
    {.name = "cert",
     OPTION_SETS_STRING(struct get_options, cert),
     .argument = "FILE",
     .group = CONNECTION,
     .help = "For https: show the certificate in FILE (PEM, with those between it and its authority, and with its key "
             "unless "
             "there is --key) to a server that asks for one."},
    {.name = "key",
     OPTION_SETS_STRING(struct get_options, key),
     .argument = "FILE",
     .group = CONNECTION,
     .help = "The key of --cert (PEM, not encrypted)."},
    {.name = "dangerously-trust-anybody",
     OPTION_SETS_FLAG(struct get_options, trust_anybody),
     .group = CONNECTION,
     .help = "For https: verify no certificate. Whoever is between you and the server can read and change everything."},

    {.name = "max-time",
     .letter = 'm',
     OPTION_SETS_DURATION(struct get_options, max_time),
     .argument = "TIME",
     .initial = "unlimited",
     .minimum = WEFT_MILLISECONDS(1),
     .maximum = LONGEST,
     .may_be_unlimited = true,
     .group = LIMITS,
     .help = "How long each URL may take, the reader of its content included. A server that stops sending is given up "
             "after a minute in any case."},
    {.name = "connect-timeout",
     OPTION_SETS_DURATION(struct get_options, connect_timeout),
     .argument = "TIME",
     .initial = "30s",
     .minimum = WEFT_MILLISECONDS(1),
     .maximum = LONGEST,
     .group = LIMITS,
     .help = "How long it may take to look up the name, and then to connect."},
    {.name = "max-size",
     OPTION_SETS_SIZE(struct get_options, max_size),
     .argument = "SIZE",
     .initial = "unlimited",
     .minimum = 1,
     .maximum = UINT64_C(1) << 60,
     .may_be_unlimited = true,
     .group = LIMITS,
     .help =
         "The longest content that is taken, decoded, with what --continue finds. If the server says before that it "
         "is longer, the file stays as it was; if not, it holds what had come."},

    OPTION_HELP_ENTRY(OTHER),
};

static const struct operand operands[] = {
    {.name = "URL",
     .kind = OPERAND_TEXT,
     .required = true,
     .repeats = true,
     .offset = offsetof(struct get_options, urls),
     .help = "What to fetch: http://HOST:PORT/PATH or https://HOST/PATH. Several are fetched one after the other, on "
             "one connection where that "
             "is possible. A URL with a password in it is refused: give it with --user."},
};

static const struct exit_status statuses[] = {
    {GET_NO_NAME, "The host's name is not known."},
    {GET_NO_CONNECTION, "No connection could be made."},
    {GET_TRUNCATED, "The content ended before it was complete."},
    {GET_STATUS, "The server answered with a status of 400 or above."},
    {GET_CANNOT_WRITE, "The content could not be written, or its reader left."},
    {GET_TIMEOUT, "It took too long."},
    {GET_CANNOT_RESUME, "The server does not send the rest of the file that is there."},
    {GET_TLS, "TLS failed."},
    {GET_REDIRECTS, "There were too many redirects, or one that must not be followed."},
    {GET_PROTOCOL, "The server broke the protocol, or the connection."},
    {GET_CERTIFICATE, "The server's certificate was refused."},
    {GET_LIMIT, "The response is larger than a limit."},
    {GET_CHECK, "The content has another digest than --check says."},
    {GET_INTERRUPTED, "It was interrupted."},
};

static const struct example examples[] = {
    {"weft get http://example.com/", "Print a page."},
    {"weft get -O -C - http://example.com/large.iso", "Fetch a file, or the rest of it."},
    {"weft get -d name=value http://127.0.0.1:8080/form", "Send a form."},
    {"tar c . | weft get -T - http://127.0.0.1:8080/backup.tar", "Send what a command writes."},
};

const struct command get_command = {
    .name = "get",
    .summary = "fetch a URL over HTTP",
    .description =
        "Fetches URLs over HTTP/1.1 and prints what they hold, or writes it to files.\n\n"
        "Redirects are followed, and a status of 400 or above is a failure. An interrupt leaves what came in "
        "the file, to be gone on with by --continue.",
    .revised = "November 22, 2026",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .operands = operands,
    .operand_count = sizeof(operands) / sizeof(operands[0]),
    .statuses = statuses,
    .status_count = sizeof(statuses) / sizeof(statuses[0]),
    .examples = examples,
    .example_count = sizeof(examples) / sizeof(examples[0]),
    .values_size = sizeof(struct get_options),
    .run = get_run,
};
