/* SPDX-License-Identifier: MIT */
/* Endpoint URLs: what is refused is refused inside of the string, what is taken can be used, and is taken again when it is
 * written as it was understood. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "net/url.h"

#define LONGEST 1024

static void demand(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "endpoint_url: %s\n", what);
    abort();
}

static bool lies_in(weft_bytes part, const char *text)
{
    return part.length == 0 || (part.data >= text && part.data + part.length <= text + strlen(text));
}

static void use_text(weft_bytes raw)
{
    char buffer[LONGEST];
    int length = url_text(raw, buffer, sizeof buffer);

    demand(length >= 0 && (size_t)length <= raw.length && strlen(buffer) == (size_t)length,
           "a text that cannot be decoded");
}

static void check(const char *text, const struct url *url)
{
    demand(lies_in(url->name, text) && lies_in(url->service, text) && lies_in(url->target.host, text) &&
               lies_in(url->endpoint.zone, text),
           "a part outside of the string");
    demand(url->endpoint.path.length == 0 || url->endpoint.path.data == url->path, "a path elsewhere");
    demand(url->endpoint.path.length < sizeof url->path, "a path that is too long");
    demand((url->words & (URL_STREAMS | URL_DATAGRAMS)) != 0, "no carrier");
    use_text(url->user);
    use_text(url->password);
    for (unsigned i = 0; i < URL_OPTIONS; i++) {
        demand(lies_in(url->options[i].text, text), "an option outside of the string");
        use_text(url->options[i].text);
    }
}

/* A path that was understood is the same when it is written and read again. */
static void check_path(const struct url *url)
{
    char text[LONGEST];
    struct url again;
    size_t length;

    if (!(url->words & URL_UNIX))
        return;
    length = (size_t)snprintf(text, sizeof text, "unix://");
    url_escape(url->endpoint.path, text + length, sizeof text - length);
    demand(url_parse(text, &again, NULL) == 0 && weft_bytes_equal(again.endpoint.path, url->endpoint.path),
           "a path that changes when it is written");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int (*const parsers[])(const char *, struct url *, weft_url_error *) = {url_parse, url_parse_peer,
                                                                                   url_parse_datagrams};
    char *text;

    if (size >= LONGEST)
        return 0;
    text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    for (unsigned i = 0; i < sizeof parsers / sizeof *parsers; i++) {
        weft_url_error error = {.offset = SIZE_MAX};
        struct url url = {.fd = -7};
        int status = parsers[i](text, &url, &error);

        if (status < 0) {
            demand(status == WEFT_EURL || status == WEFT_ESCHEME, "another error");
            demand(error.offset <= strlen(text) && error.text, "an error outside of the string");
            demand(url.fd == -7 && url.words == 0, "a result that was touched");
        } else {
            check(text, &url);
            check_path(&url);
        }
    }
    free(text);
    return 0;
}
