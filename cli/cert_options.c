/* SPDX-License-Identifier: MIT */
/* What `weft cert` understands: its arguments, help, manual page and completion come from here. */
#include "cert.h"

#define CERTIFICATE "The certificate"
#define AUTHORITY "The authority"
#define OTHER "Other"

/* What Apple's systems take at most of an authority that was added by hand. */
enum { DAYS_MOST = 825 };

static const char *const type_words[] = {"p256", "p384", "ed25519", "rsa", NULL};

static const struct option options[] = {
    {.name = "cert",
     .letter = 'c',
     OPTION_SETS_STRING(struct cert_options, cert),
     .argument = "FILE",
     .otherwise = "the first name and .pem, in this folder",
     .group = CERTIFICATE,
     .help = "Where the certificate is written."},
    {.name = "key",
     .letter = 'k',
     OPTION_SETS_STRING(struct cert_options, key),
     .argument = "FILE",
     .otherwise = "the first name and -key.pem, in this folder",
     .group = CERTIFICATE,
     .help = "Where its private key is written, for you alone to read."},
    {.name = "client",
     OPTION_SETS_FLAG(struct cert_options, client),
     .group = CERTIFICATE,
     .help = "Make the certificate of a client, which a server may ask for. Its names may be of mailboxes, too."},
    {.name = "days",
     OPTION_SETS_INTEGER(struct cert_options, days),
     .argument = "COUNT",
     .initial = "90",
     .minimum = 1,
     .maximum = DAYS_MOST,
     .group = CERTIFICATE,
     .help = "How long the certificate is valid; never longer than its authority."},
    {.name = "type",
     OPTION_SETS_CHOICE(struct cert_options, type),
     .words = type_words,
     .argument = "TYPE",
     .initial = "p256",
     .group = CERTIFICATE,
     .help = "The kind of key, also of an authority that is made: ECDSA on P-256 or P-384, Ed25519 (which browsers do "
             "not take), or RSA with 2048 bits."},
    {.name = "force",
     .letter = 'f',
     OPTION_SETS_FLAG(struct cert_options, force),
     .group = CERTIFICATE,
     .help = "Replace a certificate and a key that are there. An authority is never replaced."},

    {.name = "dir",
     .letter = 'd',
     OPTION_SETS_STRING(struct cert_options, directory),
     .argument = "DIR",
     .otherwise = "weft in the folder of your data, $XDG_DATA_HOME or ~/.local/share",
     .group = AUTHORITY,
     .help = "The folder of the authority, which is made there if there is none: authority.pem and authority-key.pem."},
    {.name = "only",
     OPTION_SETS_STRINGS(struct cert_options, only),
     .argument = "NAME",
     .group = AUTHORITY,
     .help = "A domain, with all beneath it, or an address that the authority may sign for, when it is made. May be "
             "repeated. Then it can sign for these and for addresses of the machine itself, and for nothing else."},
    {.name = "trust",
     OPTION_SETS_FLAG(struct cert_options, trust),
     .group = AUTHORITY,
     .help = "Print how browsers, other programs and the system come to trust the authority. Nothing is changed."},

    {.name = "show",
     .letter = 's',
     OPTION_SETS_STRING(struct cert_options, show),
     .argument = "FILE",
     .group = OTHER,
     .help = "Describe the certificates in FILE (- for standard input) instead: for whom, until when, signed by whom."},
    OPTION_HELP_ENTRY(OTHER),
};

static const struct operand operands[] = {
    {.name = "NAME",
     .kind = OPERAND_TEXT,
     .repeats = true,
     .offset = offsetof(struct cert_options, names),
     .help =
         "What the certificate is for: a host's name, *.DOMAIN for all that are directly below DOMAIN, or an address. "
         "The first gives the files their names."},
};

static const struct example examples[] = {
    {"weft cert localhost example.test 127.0.0.1 ::1", "Make localhost.pem and localhost-key.pem, for four names."},
    {"weft cert --client --days 30 alice@example.test", "Make a certificate for a client."},
    {"weft cert --trust", "See what to do so that a browser trusts them."},
    {"weft cert --show localhost.pem", "Look at one."},
    {"openssl s_client -connect example.com:443 -showcerts </dev/null | weft cert --show -",
     "Look at those of a server."},
};

const struct command cert_command = {
    .name = "cert",
    .summary = "make certificates for development",
    .description =
        "Makes a certificate and its private key, in PEM, signed by an authority of your own, so that servers and "
        "clients speak TLS on this machine as they will in the world. The authority is made with the first "
        "certificate, "
        "and kept for you alone.\n\n"
        "Whoever has the authority's private key can pass for every server to whoever trusts the authority. So it is "
        "for "
        "development and for tests: keep the key on your own machine, or say with --only what it is for.",
    .revised = "November 23, 2026",
    .options = options,
    .option_count = sizeof(options) / sizeof(options[0]),
    .operands = operands,
    .operand_count = sizeof(operands) / sizeof(operands[0]),
    .examples = examples,
    .example_count = sizeof(examples) / sizeof(examples[0]),
    .values_size = sizeof(struct cert_options),
    .run = cert_run,
};
