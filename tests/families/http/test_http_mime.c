/* SPDX-License-Identifier: MIT */
#include "support/support.h"

#include <string.h>

#include "families/http/http_mime.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const char *const table[][2] = {
#include "families/http/http_mime_table.inc"
};

static void check(const char *name, const char *type)
{
    print_message("%s\n", name);
    assert_string_equal(http_mime_type(weft_bytes_from(name)).data, type);
}

static void the_web_s_types_are_known(void **state)
{
    (void)state;
    check("index.html", "text/html; charset=utf-8");
    check("page.htm", "text/html; charset=utf-8");
    check("app.js", "text/javascript; charset=utf-8");
    check("app.mjs", "text/javascript; charset=utf-8");
    check("style.css", "text/css; charset=utf-8");
    check("data.json", "application/json; charset=utf-8");
    check("app.js.map", "application/json; charset=utf-8");
    check("a.svg", "image/svg+xml; charset=utf-8");
    check("feed.xml", "application/xml; charset=utf-8");
    check("feed.atom", "application/atom+xml; charset=utf-8");
    check("app.webmanifest", "application/manifest+json; charset=utf-8");
    check("a.wasm", "application/wasm");
    check("a.woff2", "font/woff2");
    check("a.png", "image/png");
    check("a.jpg", "image/jpeg");
    check("a.avif", "image/avif");
    check("a.webp", "image/webp");
    check("favicon.ico", "image/x-icon");
    check("a.mp4", "video/mp4");
    check("a.pdf", "application/pdf");
    check("a.txt", "text/plain; charset=utf-8");
    check("README.md", "text/markdown; charset=utf-8");
    check("a.tar.gz", "application/gzip");
    check("a.zst", "application/zstd");
    check("a.br", "application/octet-stream");
}

static void extensions_are_compared_without_case(void **state)
{
    (void)state;
    check("INDEX.HTML", "text/html; charset=utf-8");
    check("Photo.JpG", "image/jpeg");
}

static void only_the_last_extension_counts(void **state)
{
    (void)state;
    check("page.html.png", "image/png");
    check("a.png.unknown", "application/octet-stream");
    check("dir.html/file", "application/octet-stream");
}

static void what_is_not_known_is_bytes(void **state)
{
    static const weft_bytes with_nul = WEFT_BYTES("a.html\0"), inner_nul = WEFT_BYTES("a.ht\0ml");

    (void)state;
    check("", "application/octet-stream");
    check("file", "application/octet-stream");
    check(".html", "application/octet-stream");
    check("file.", "application/octet-stream");
    check("file.htmlx", "application/octet-stream");
    check("file.ht ml", "application/octet-stream");
    check("a.\xff\xfe", "application/octet-stream");
    assert_string_equal(http_mime_type(with_nul).data, "application/octet-stream");
    assert_string_equal(http_mime_type(inner_nul).data, "application/octet-stream");
}

static void files_named_by_custom_are_text(void **state)
{
    (void)state;
    check("README", "text/plain; charset=utf-8");
    check("Makefile", "text/plain; charset=utf-8");
    check("LICENSE", "text/plain; charset=utf-8");
    check("AUTHORS", "text/plain; charset=utf-8");
    check("version", "text/plain; charset=utf-8");
}

static void every_row_of_the_table_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        char name[64] = "x.";

        strcat(name, table[i][0]);
        assert_string_equal(http_mime_type(weft_bytes_from(name)).data, table[i][1]);
        if (i)
            assert_true(strcmp(table[i - 1][0], table[i][0]) < 0);
    }
    assert_true(COUNT(table) > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(the_web_s_types_are_known),      support_test(extensions_are_compared_without_case),
        support_test(only_the_last_extension_counts), support_test(what_is_not_known_is_bytes),
        support_test(files_named_by_custom_are_text), support_test(every_row_of_the_table_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
