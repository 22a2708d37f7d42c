/* SPDX-License-Identifier: MIT */
/* `weft cert --show`: a chain of certificates in plain words. */
#include "cert.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "cert_file.h"
#include "printable.h"

#define DAY WEFT_HOURS(24)

const char *cert_day(weft_time time, char buffer[16])
{
    time_t seconds = (time_t)(time / WEFT_SECONDS(1));
    struct tm parts;

    if (time == WEFT_NEVER || time == INT64_MIN || !gmtime_r(&seconds, &parts) ||
        strftime(buffer, 16, "%Y-%m-%d", &parts) == 0)
        snprintf(buffer, 16, "%s", time == INT64_MIN ? "long ago" : "for ever");
    return buffer;
}

static void line(const char *label)
{
    printf("   %-12s ", label);
}

/* -- its parts -- */

struct names {
    size_t count;
};

static void tell_name(weft_certificate_name_kind kind, weft_bytes name, void *arg)
{
    struct names *names = arg;
    char shown[300];

    printf("%s%s", names->count++ > 0 ? ", " : "", printable(name, shown, sizeof shown));
    if (kind == WEFT_CERTIFICATE_NAME_OTHER)
        printf(" (not shown)");
}

static int tell_names(const weft_certificate *certificate, size_t index)
{
    struct names names = {.count = 0};
    int count;

    line("for");
    count = weft_certificate_names(certificate, index, tell_name, &names);
    puts(count == 0 ? "no name" : "");
    return count;
}

static void tell_time(const weft_certificate_about *about, weft_time now)
{
    char from[16], to[16];

    line("valid");
    printf("from %s to %s", cert_day(about->begins, from), cert_day(about->ends, to));
    if (now < about->begins)
        printf(": NOT YET, in %" PRId64 " days\n", (about->begins - now) / DAY);
    else if (about->ends == INT64_MIN)
        puts(": EXPIRED");
    else if (now > about->ends)
        printf(": EXPIRED, %" PRId64 " days ago\n", now / DAY - about->ends / DAY);
    else if (about->ends != WEFT_NEVER)
        printf(", %" PRId64 " more days\n", (about->ends - now) / DAY);
    else
        puts("");
}

static void tell_uses(const weft_certificate_about *about)
{
    static const char *const words[] = {"TLS servers", "TLS clients", "other uses", "any use"};
    const char *between = "";

    line("for use by");
    if (about->is_authority && about->path_length >= 0)
        printf("authorities (with %d below it)", about->path_length);
    else if (about->is_authority)
        printf("authorities");
    if (about->is_authority)
        between = ", ";
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!(about->uses & 1U << i) || (about->is_authority && 1U << i == WEFT_CERTIFICATE_ANY))
            continue;
        printf("%s%s", between, words[i]);
        between = ", ";
    }
    puts("");
}

static void tell_signer(const weft_certificate_about *about, bool is_last)
{
    line("signed by");
    if (about->is_self_signed)
        printf("itself");
    else
        printf("%s%s", about->issuer[0] ? about->issuer : "nobody that is named",
               about->is_signed_by_next ? ", the next"
               : is_last                ? ", which is not in the chain"
                                        : ": NOT BY THE NEXT");
    printf(" (%s)\n", about->signature);
}

int cert_describe(const weft_certificate *certificate, size_t index, weft_time now)
{
    weft_certificate_about about;
    int status = weft_certificate_look(certificate, index, &about);

    printf("%zu. ", index + 1);
    if (status < 0) {
        puts("It cannot be understood.");
        return status;
    }
    puts(about.subject[0] ? about.subject : "(known by its names)");
    if (!about.is_authority || about.uses != WEFT_CERTIFICATE_ANY)
        status = tell_names(certificate, index);
    tell_time(&about, now);
    tell_uses(&about);
    tell_signer(&about, index + 1 == weft_certificate_count(certificate));
    line("key");
    puts(about.key);
    line("number");
    puts(about.serial);
    line("SHA-256");
    puts(about.fingerprint);
    return status < 0 ? status : 0;
}

/* -- the whole -- */

static int describe(const weft_certificate *chain, const char *path, weft_time now)
{
    char shown[300];
    size_t count = weft_certificate_count(chain);
    int result = EXIT_DONE, status;

    printf("%s: %zu certificate%s%s\n", printable(weft_bytes_from(path), shown, sizeof shown), count,
           count == 1 ? "" : "s", weft_certificate_has_key(chain) ? ", and the private key of the first" : "");
    for (size_t i = 0; i < count; i++) {
        status = cert_describe(chain, i, now);
        if (status < 0)
            result = cert_complain(path, status, NULL);
    }
    return result;
}

int cert_show(const struct cert_options *options, weft_time now)
{
    struct cert_text text = {.data = NULL};
    weft_certificate *chain;
    weft_failure *why = NULL;
    int status = cert_file_read_any(options->show, &text), result;

    if (status < 0)
        return cert_complain(options->show, status, NULL);
    status = weft_certificate_read(weft_bytes_of(text.data, text.length), weft_bytes_of(NULL, 0), &chain, &why);
    cert_text_fini(&text);
    if (status < 0)
        return cert_complain(options->show, status, why);
    result = describe(chain, options->show, now);
    weft_certificate_unref(chain);
    return result;
}
