/* SPDX-License-Identifier: MIT */
/* H1-22: no encoding of a path leads out of the root. */
#include "support/support.h"

#include <errno.h>

#include "families/http/http_path.h"
#include "families/http/http_text.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

enum { OK = HTTP_PATH_OK, BAD = HTTP_PATH_BAD, GONE = HTTP_PATH_NOT_FOUND, ROOM = 512 };

struct path_row {
    weft_bytes target;
    int result;
    const char *path; /* of OK */
    bool directory;
};

#define ROW(target, result)                     \
    {                                           \
        WEFT_BYTES(target), result, NULL, false \
    }
#define FILE_ROW(target, path)              \
    {                                       \
        WEFT_BYTES(target), OK, path, false \
    }
#define FOLDER_ROW(target, path)           \
    {                                      \
        WEFT_BYTES(target), OK, path, true \
    }

static void check_row(weft_bytes target, bool hidden, int result, const char *path, bool directory)
{
    struct http_path resolved = {.directory = !directory};
    char buffer[ROOM];

    print_message("%.*s\n", (int)target.length, target.data);
    assert_int_equal(http_path_resolve(target, hidden, buffer, sizeof(buffer), &resolved), result);
    if (result != OK)
        return;
    assert_int_equal(resolved.path.length, strlen(path));
    assert_string_equal(resolved.path.data, path);
    assert_int_equal(resolved.directory, directory);
}

static void plain_paths_are_decoded_once(void **state)
{
    static const struct path_row rows[] = {
        FOLDER_ROW("/", ""),
        FOLDER_ROW("", ""),
        FOLDER_ROW("?x", ""),
        FOLDER_ROW("/?a=/../..", ""),
        FILE_ROW("/a", "a"),
        FOLDER_ROW("/a/", "a"),
        FILE_ROW("/a/b.html", "a/b.html"),
        FOLDER_ROW("/a/b/c/", "a/b/c"),
        FILE_ROW("/a%20b", "a b"),
        FILE_ROW("/%61%62", "ab"),
        FILE_ROW("/%41%5A%5a", "AZZ"),
        FILE_ROW("/a%2Eb", "a.b"),
        FILE_ROW("/%252e%252e", "%2e%2e"),
        FILE_ROW("/%252e%252e/a", "%2e%2e/a"),
        FILE_ROW("/%252f", "%2f"),
        FILE_ROW("/%25", "%"),
        FILE_ROW("/100%25", "100%"),
        FILE_ROW("/a...", "a..."),
        FILE_ROW("/a..b", "a..b"),
        FILE_ROW("/a..", "a.."),
        FILE_ROW("/~user", "~user"),
        FILE_ROW("/a+b", "a+b"),
        FILE_ROW("/a;v=1,2", "a;v=1,2"),
        FILE_ROW("/!$&'()*+,=:@", "!$&'()*+,=:@"),
        FILE_ROW("/{a|b}^`", "{a|b}^`"),
        FILE_ROW("/%22%3C%3E%23%3F", "\"<>#?"),
        FILE_ROW("/C:", "C:"),
        FILE_ROW("/%C3%A4", "\xc3\xa4"),
        FILE_ROW("/%e6%97%a5", "\xe6\x97\xa5"),
        FILE_ROW("/%F0%9F%98%80", "\xf0\x9f\x98\x80"),
        FILE_ROW("/%EF%BC%8F", "\xef\xbc\x8f"), /* a fullwidth solidus is a letter like others */
        FILE_ROW("/%E2%80%A5", "\xe2\x80\xa5"), /* a two dot leader, too */
        FILE_ROW("/%20", " "),
        FILE_ROW("/a?b?c", "a"),
        FILE_ROW("/a%3Fb", "a?b"),
        FOLDER_ROW("/a/?b/", "a"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_row(rows[i].target, false, rows[i].result, rows[i].path, rows[i].directory);
}

static void what_is_no_path_is_refused(void **state)
{
    static const struct path_row rows[] = {
        ROW("a", BAD),         ROW("*", BAD),      ROW("http://h/", BAD), ROW("\\", BAD),      ROW("/a b", BAD),
        ROW("/a\tb", BAD),     ROW("/a\nb", BAD),  ROW("/a\r\nb", BAD),   ROW("/a\0b", BAD),   ROW("/\x7f", BAD),
        ROW("/\x01", BAD),     ROW("/a#b", BAD),   ROW("/a\"b", BAD),     ROW("/<b>", BAD),    ROW("/a\\b", BAD),
        ROW("/\xc3\xa4", BAD), ROW("/\xff", BAD),  ROW("/a?b c", BAD),    ROW("/a?b\nc", BAD), ROW("/a?b#c", BAD),
        ROW("/a?\x80", BAD),   ROW("/a?b\0", BAD), ROW("%2f", BAD),       ROW("%2e%2e/", BAD), ROW("../a", BAD),
        ROW(".", BAD),         ROW(" /a", BAD),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_row(rows[i].target, false, rows[i].result, NULL, false);
}

/* Segments that must never be part of a name, and what becomes of a path with one of them. */
static const struct path_row attacks[] = {
    /* dots: a path, but not one of a file here */
    ROW(".", GONE),
    ROW("..", GONE),
    ROW("%2e", GONE),
    ROW("%2E", GONE),
    ROW("%2e%2e", GONE),
    ROW("%2E%2e", GONE),
    ROW(".%2e", GONE),
    ROW("%2e.", GONE),
    /* separators that were encoded */
    ROW("%2f", GONE),
    ROW("%2F", GONE),
    ROW("..%2f", GONE),
    ROW("..%2f..", GONE),
    ROW("%2e%2e%2f", GONE),
    ROW("%2e%2e%2f%2e%2e", GONE),
    ROW("a%2f..%2f..", GONE),
    ROW("%2fetc%2fpasswd", GONE),
    ROW("..%5c", GONE),
    ROW("..%5C..", GONE),
    ROW("%5c", GONE),
    ROW("%2e%2e%5c", GONE),
    ROW("%5c%5chost%5cshare", GONE),
    ROW("C:%5cwindows", GONE),
    /* raw backslashes are not part of URIs */
    ROW("\\", BAD),
    ROW("..\\", BAD),
    ROW("..\\..", BAD),
    ROW("\\..\\..", BAD),
    ROW("%2e%2e\\", BAD),
    /* a bad percent */
    ROW("%", BAD),
    ROW("%2", BAD),
    ROW("%g0", BAD),
    ROW("%0g", BAD),
    ROW("%%32%65", BAD),
    ROW("%%2e", BAD),
    ROW("%u002e", BAD),
    ROW("%u2216", BAD),
    ROW("%uff0e%uff0e", BAD),
    ROW("% 2e", BAD),
    ROW("%+2", BAD),
    ROW("%0x2e", BAD),
    ROW("%-1", BAD),
    ROW("..%", BAD),
    ROW("%2e%2", BAD),
    /* NUL and other controls */
    ROW("%00", BAD),
    ROW("..%00", BAD),
    ROW("%00..", BAD),
    ROW("a%00.html", BAD),
    ROW("%2e%2e%00", BAD),
    ROW("%0a", BAD),
    ROW("%0d%0a", BAD),
    ROW("%09", BAD),
    ROW("%1f", BAD),
    ROW("%7f", BAD),
    ROW("..%0d", BAD),
    /* overlong forms of "." and "/" and "\" */
    ROW("%c0%ae", BAD),
    ROW("%c0%ae%c0%ae", BAD),
    ROW("%c0%2e", BAD),
    ROW("%c0%af", BAD),
    ROW("..%c0%af", BAD),
    ROW("%c0%ae%c0%ae%c0%af", BAD),
    ROW("%e0%80%ae", BAD),
    ROW("%e0%80%af", BAD),
    ROW("%e0%80%ae%e0%80%ae", BAD),
    ROW("%f0%80%80%ae", BAD),
    ROW("%f0%80%80%af", BAD),
    ROW("%c1%9c", BAD),
    ROW("..%c1%9c", BAD),
    ROW("%c1%1c", BAD),
    ROW("%f8%80%80%80%ae", BAD),
    ROW("%fc%80%80%80%80%ae", BAD),
    ROW("%c0%80", BAD),
    ROW("%c0%9v", BAD),
    /* not UTF-8 otherwise */
    ROW("%80", BAD),
    ROW("%bf", BAD),
    ROW("%e4", BAD),
    ROW("%ff", BAD),
    ROW("%fe%fe", BAD),
    ROW("%c3", BAD),
    ROW("%e6%97", BAD),
    ROW("%c3%28", BAD),
    ROW("%ed%a0%80", BAD),
    ROW("%ed%bf%bf", BAD),
    ROW("%f4%90%80%80", BAD),
    ROW("%f5%80%80%80", BAD),
    ROW("%af", BAD),
    ROW("%ae%ae", BAD),
    /* names that hide, dots with company among them */
    ROW(".git", GONE),
    ROW(".;", GONE),
    ROW("..;", GONE),
    ROW("..;a=b", GONE),
    ROW("%2ehtaccess", GONE),
    ROW("....", GONE),
    ROW("...", GONE),
    ROW(".%20", GONE),
    ROW("..%20", GONE),
    ROW(".%2e%20", GONE),
    ROW("..%3f", GONE),
    ROW("..%23", GONE),
    ROW("..%252f", GONE),
    ROW(".%252e", GONE),
    ROW("..%25c0%25af", GONE),
    /* nothing at all */
    ROW("", GONE),
};

static size_t canaries;

static void check_attack(const char *format, const struct path_row *attack)
{
    char target[ROOM];
    const char *before = strchr(format, '@');
    size_t length = (size_t)(before - format);

    memcpy(target, format, length);
    memcpy(target + length, attack->target.data, attack->target.length);
    length += attack->target.length;
    memcpy(target + length, before + 1, strlen(before + 1));
    length += strlen(before + 1);
    check_row(weft_bytes_of(target, length), false, attack->result, NULL, false);
    canaries++;
}

static void h1_22_no_encoding_leads_out_of_the_root(void **state)
{
    static const char *const places[] = {"/@/", "/@/canary", "/a/@/", "/a/@/canary", "/@/@2/a", "/a/b/@/c?q"};

    (void)state;
    canaries = 0;
    for (size_t i = 0; i < COUNT(attacks); i++)
        for (size_t j = 0; j < COUNT(places); j++)
            check_attack(places[j], &attacks[i]);
    print_message("%zu targets\n", canaries);
    assert_true(canaries >= 600);
}

static void h1_22_attacks_fail_at_the_end_of_a_path_and_repeated(void **state)
{
    static const struct path_row rows[] = {
        ROW("//", GONE),
        ROW("///", GONE),
        ROW("//a", GONE),
        ROW("/a//", GONE),
        ROW("/a//b", GONE),
        ROW("//etc/passwd", GONE),
        ROW("//host/share", GONE),
        ROW("/..", GONE),
        ROW("/.", GONE),
        ROW("/a/..", GONE),
        ROW("/a/.", GONE),
        ROW("/../../../../../../etc/passwd", GONE),
        ROW("/a/../../canary", GONE),
        ROW("/./canary", GONE),
        ROW("/%2e%2e/%2e%2e/%2e%2e/etc/passwd", GONE),
        ROW("/cgi-bin/.%2e/.%2e/.%2e/.%2e/bin/sh", GONE),       /* CVE-2021-41773 */
        ROW("/cgi-bin/.%%32%65/.%%32%65/.%%32%65/bin/sh", BAD), /* CVE-2021-42013 */
        ROW("/icons/%2e%2e%2f%2e%2e%2fetc/passwd", GONE),
        ROW("/a/..;/canary", GONE),
        ROW("/..%c0%af..%c0%afetc/passwd", BAD),
        ROW("/..%255c..%255cwindows", GONE),
        ROW("/%5c..%5c..%5cwindows", GONE),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_row(rows[i].target, false, rows[i].result, NULL, false);
}

static void the_query_is_given_as_it_came(void **state)
{
    static const weft_bytes target = WEFT_BYTES("/a?sort=%zz&/../?b");
    struct http_path path;
    char buffer[ROOM];

    (void)state;
    assert_int_equal(http_path_resolve(target, false, buffer, sizeof(buffer), &path), OK);
    assert_true(weft_bytes_equal(path.query, weft_bytes_from("sort=%zz&/../?b")));
    assert_int_equal(http_path_resolve(weft_bytes_from("/a"), false, buffer, sizeof(buffer), &path), OK);
    assert_int_equal(path.query.length, 0);
}

static void hidden_names_are_reached_only_when_asked_for(void **state)
{
    static const struct path_row rows[] = {
        FILE_ROW("/.git/config", ".git/config"),
        FILE_ROW("/a/.b", "a/.b"),
        FILE_ROW("/%2eb", ".b"),
        FILE_ROW("/...", "..."),
        FILE_ROW("/..;", "..;"),
        FILE_ROW("/..%20", ".. "),
        ROW("/..", GONE),
        ROW("/.", GONE),
        ROW("/%2e%2E", GONE),
        ROW("/.git/../x", GONE),
        ROW("/.git/./x", GONE),
        ROW("/..%2f", GONE),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_row(rows[i].target, true, rows[i].result, rows[i].path, rows[i].directory);
}

static void a_path_longer_than_the_buffer_is_refused(void **state)
{
    struct http_path path = {.query = WEFT_BYTES("untouched")};
    char buffer[5];

    (void)state;
    assert_int_equal(http_path_resolve(weft_bytes_from("/abcd"), false, buffer, sizeof(buffer), &path), OK);
    assert_string_equal(path.path.data, "abcd");
    path.query = weft_bytes_from("untouched");
    assert_int_equal(http_path_resolve(weft_bytes_from("/abcde"), false, buffer, 5, &path), HTTP_PATH_TOO_LONG);
    assert_int_equal(http_path_resolve(weft_bytes_from("/abcd/"), false, buffer, 5, &path), HTTP_PATH_TOO_LONG);
    assert_true(weft_bytes_equal(path.query, weft_bytes_from("untouched")));
    assert_int_equal(http_path_resolve(weft_bytes_from("/%61%62%63%64"), false, buffer, 5, &path), OK);
    assert_int_equal(http_path_resolve(weft_bytes_from("/"), false, buffer, 1, &path), OK);
}

/* Whatever comes, a path that is accepted is plain: its segments are names, none empty, "." or "..". */
static void h1_22_accepted_paths_are_always_plain(void **state)
{
    static const char *const pieces[] = {"/",      "..", ".",      "%2e", "%2f", "%5c", "%", "%25", "a",  "%00",
                                         "%c0%af", "\\", "%c3%a4", "?",   ";",   "%2",  "e", "5c",  "//", "%E2%80%A4"};
    uint64_t random = 88172645463325252;
    size_t accepted = 0;

    (void)state;
    for (size_t run = 0; run < 200000; run++) {
        char target[ROOM] = "/", buffer[ROOM];
        struct http_path path;

        for (size_t i = 0; i < 6; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            strcat(target, pieces[random % COUNT(pieces)]);
        }
        if (http_path_resolve(weft_bytes_from(target), run & 1, buffer, sizeof(buffer), &path) != HTTP_PATH_OK)
            continue;
        accepted++;
        assert_int_equal(strlen(path.path.data), path.path.length);
        assert_true(path.path.length == 0 || path.path.data[0] != '/');
        assert_null(strstr(path.path.data, "//"));
        assert_null(strchr(path.path.data, '\\'));
        assert_true(http_utf8_is_valid(path.path));
        for (char *name = strtok(buffer, "/"); name; name = strtok(NULL, "/")) {
            assert_string_not_equal(name, ".");
            assert_string_not_equal(name, "..");
            assert_true(http_path_is_reachable(weft_bytes_from(name), run & 1));
        }
    }
    assert_true(accepted > 1000);
}

static void every_reachable_name_is_reached_by_its_encoding(void **state)
{
    static const weft_bytes unreachable[] = {
        WEFT_BYTES(""),     WEFT_BYTES("."),    WEFT_BYTES(".."),   WEFT_BYTES(".a"),   WEFT_BYTES("a/b"),
        WEFT_BYTES("a\\b"), WEFT_BYTES("a\nb"), WEFT_BYTES("a\0b"), WEFT_BYTES("\x7f"), WEFT_BYTES("\xe4"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(unreachable); i++)
        assert_false(http_path_is_reachable(unreachable[i], false));
    assert_true(http_path_is_reachable(weft_bytes_from(".a"), true));
    for (unsigned byte = 1; byte < 256; byte++) {
        char name[3] = {'a', (char)byte, '\0'}, buffer[ROOM];
        struct http_text text = {0};
        struct http_path path;
        enum http_path_result result;

        http_text_append_string(&text, "/");
        http_text_append_segment(&text, weft_bytes_from(name));
        result = http_path_resolve(weft_bytes_of(text.data, text.length), false, buffer, sizeof(buffer), &path);
        assert_int_equal(result == HTTP_PATH_OK, http_path_is_reachable(weft_bytes_from(name), false));
        if (result == HTTP_PATH_OK)
            assert_string_equal(path.path.data, name);
        http_text_release(&text);
    }
}

static void a_slash_is_put_before_the_query(void **state)
{
    static const char *const rows[][2] = {
        {"/a", "/a/"}, {"/a?b", "/a/?b"}, {"/a%20b?c?d", "/a%20b/?c?d"}, {"/a?", "/a/?"}};
    char out[32];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int length = http_path_with_slash(weft_bytes_from(rows[i][0]), out, sizeof(out));

        assert_int_equal(length, strlen(rows[i][1]));
        assert_memory_equal(out, rows[i][1], (size_t)length);
    }
    assert_int_equal(http_path_with_slash(weft_bytes_from("/abc"), out, 5), 5);
    assert_int_equal(http_path_with_slash(weft_bytes_from("/abc"), out, 4), -ENOSPC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(plain_paths_are_decoded_once),
        support_test(what_is_no_path_is_refused),
        support_test(h1_22_no_encoding_leads_out_of_the_root),
        support_test(h1_22_attacks_fail_at_the_end_of_a_path_and_repeated),
        support_test(the_query_is_given_as_it_came),
        support_test(hidden_names_are_reached_only_when_asked_for),
        support_test(a_path_longer_than_the_buffer_is_refused),
        support_test(h1_22_accepted_paths_are_always_plain),
        support_test(every_reachable_name_is_reached_by_its_encoding),
        support_test(a_slash_is_put_before_the_query),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
