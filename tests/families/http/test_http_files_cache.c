/* SPDX-License-Identifier: MIT */
/* Files kept open between requests: what is kept, and the limits. */
#include "families/http/cache_place.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "backend/file.h"

static void what_was_kept_is_found_under_its_own_name(void **state)
{
    struct fixture f;

    (void)state;
    place_put("root/one", "first");
    place_put("root/two", "second");
    fixture_init(&f);
    assert_false(fixture_find(&f, "one"));
    fixture_keep(&f, "one");
    fixture_keep(&f, "two");
    fixture_expect(&f, "one", "first");
    fixture_expect(&f, "two", "second");
    assert_false(fixture_find(&f, "three"));
    assert_false(fixture_find(&f, "on"));
    assert_int_equal(map_count(&f.cache.entries), 2);
    assert_int_equal(f.cache.bytes, 11);
    fixture_fini(&f);
    assert_false(fixture_find(&f, "one"));
    http_files_cache_clear(&f.cache);
}

static void kept_twice_is_kept_once(void **state)
{
    struct fixture f;

    (void)state;
    place_put("root/one", "first");
    fixture_init(&f);
    fixture_keep(&f, "one");
    fixture_keep(&f, "one");
    assert_int_equal(map_count(&f.cache.entries), 1);
    assert_int_equal(f.cache.bytes, 5);
    fixture_expect(&f, "one", "first");
    fixture_fini(&f);
}

static void content_is_kept_of_small_files_only(void **state)
{
    struct fixture f;

    (void)state;
    place_put_letters("root/most", HTTP_FILES_CACHE_SMALL, 'm');
    place_put_letters("root/more", HTTP_FILES_CACHE_SMALL + 1, 'm');
    place_put("root/empty", "");
    fixture_init(&f);
    fixture_keep(&f, "most");
    fixture_keep(&f, "more");
    fixture_keep(&f, "empty");
    fixture_keep(&f, "folder");
    assert_true(fixture_find(&f, "most"));
    assert_int_equal(f.found.content.length, HTTP_FILES_CACHE_SMALL);
    assert_true(fixture_find(&f, "more"));
    assert_int_equal(f.found.content.length, 0);
    assert_true(fixture_find(&f, "empty"));
    assert_int_equal(f.found.content.length, 0);
    assert_true(fixture_find(&f, "folder"));
    assert_int_equal(f.found.content.length, 0);
    assert_int_equal(f.cache.bytes, HTTP_FILES_CACHE_SMALL);
    fixture_fini(&f);
}

static void content_that_is_not_in_memory_is_not_read(void **state)
{
    struct fixture f;

    (void)state;
    place_put("root/one", "first");
    fixture_init(&f);
    place_disk.cold = true;
    fixture_keep(&f, "one");
    assert_true(fixture_find(&f, "one"));
    assert_int_equal(f.found.content.length, 0);
    assert_int_equal(f.cache.bytes, 0);
    fixture_fini(&f);
}

static void what_is_no_file_and_no_folder_is_not_kept(void **state)
{
    struct fixture f;

    (void)state;
    assert_int_equal(mkfifo(place_path("root/fifo"), 0644), 0);
    place_set_time("root/fifo", place_old);
    fixture_init(&f);
    fixture_keep(&f, "fifo");
    assert_false(fixture_find(&f, "fifo"));
    fixture_fini(&f);
}

static void young_files_are_not_kept(void **state)
{
    static const struct {
        struct timespec time;
        bool kept;
    } cases[] = {
        {{.tv_sec = WALL_SECOND - 3}, true},
        {{.tv_sec = WALL_SECOND - 2}, true},
        {{.tv_sec = WALL_SECOND - 2, .tv_nsec = 1}, false},
        {{.tv_sec = WALL_SECOND}, false},
        {{.tv_sec = WALL_SECOND + 1000000}, false},
        {{.tv_sec = -100}, true}, /* 1969 */
    };
    struct fixture f;

    (void)state;
    place_put("root/one", "first");
    fixture_init(&f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        place_set_time("root/one", cases[i].time);
        fixture_keep(&f, "one");
        assert_int_equal(fixture_find(&f, "one"), cases[i].kept);
        http_files_cache_clear(&f.cache);
    }
    fixture_fini(&f);
}

/* -- limits -- */

static const char *number(size_t i, bool with_root)
{
    static char names[2][32];
    char *name = names[with_root];

    snprintf(name, sizeof names[0], "%s%zu", with_root ? "root/" : "", i);
    return name;
}

static void the_one_used_longest_ago_makes_room(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < HTTP_FILES_CACHE_FILES; i++) {
        place_put(number(i, true), "x");
        fixture_keep(&f, number(i, false));
    }
    assert_int_equal(map_count(&f.cache.entries), HTTP_FILES_CACHE_FILES);
    assert_true(fixture_find(&f, "0")); /* it is young again, and 1 the oldest */
    place_put("root/more", "more");
    fixture_keep(&f, "more");
    assert_int_equal(map_count(&f.cache.entries), HTTP_FILES_CACHE_FILES);
    assert_false(fixture_find(&f, "1"));
    fixture_expect(&f, "0", "x");
    fixture_expect(&f, "2", "x");
    fixture_expect(&f, "more", "more");
    fixture_fini(&f);
}

static void content_has_a_limit(void **state)
{
    size_t count = HTTP_FILES_CACHE_BYTES / HTTP_FILES_CACHE_SMALL, kept = 0;
    struct fixture f;

    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < count + 10; i++) {
        place_put_letters(number(i, true), HTTP_FILES_CACHE_SMALL, 'x');
        fixture_keep(&f, number(i, false));
        assert_true(f.cache.bytes <= HTTP_FILES_CACHE_BYTES);
    }
    assert_int_equal(f.cache.bytes, HTTP_FILES_CACHE_BYTES);
    for (size_t i = 0; i < count + 10; i++) {
        bool found = fixture_find(&f, number(i, false));
        assert_int_equal(found, i >= 10);
        kept += found;
    }
    assert_int_equal(kept, count);
    fixture_fini(&f);
}

static void what_nobody_asks_for_is_let_go(void **state)
{
    struct fixture f;

    (void)state;
    place_put("root/one", "first");
    place_put("root/two", "second");
    fixture_init(&f);
    assert_false(http_files_cache_expire(&f.cache, NOW));
    fixture_keep_at(&f, "one", NOW);
    fixture_keep_at(&f, "two", NOW + 1);
    assert_true(http_files_cache_expire(&f.cache, NOW + HTTP_FILES_CACHE_TIME - 1));
    assert_int_equal(map_count(&f.cache.entries), 2);
    assert_true(fixture_find_at(&f, "one", NOW + HTTP_FILES_CACHE_TIME - 1));
    assert_true(http_files_cache_expire(&f.cache, NOW + HTTP_FILES_CACHE_TIME + 1)); /* takes two */
    assert_int_equal(map_count(&f.cache.entries), 1);
    assert_int_equal(f.cache.bytes, 5);
    assert_false(http_files_cache_expire(&f.cache, NOW + 2 * HTTP_FILES_CACHE_TIME));
    assert_int_equal(map_count(&f.cache.entries), 0);
    fixture_fini(&f);
}

static void keep_under_pressure(void *arg)
{
    struct fixture *f = arg;
    struct http_files_cached found;
    weft_file *file;
    int status = file_open(f->root, "one", true, &file);

    if (status == 0) {
        http_files_cache_keep(&f->cache, "one", file, NOW, WALL);
        weft_file_unref(file);
    } else {
        assert_int_equal(status, WEFT_ENOMEM);
    }
    if (http_files_cache_find(&f->cache, f->root, "one", NOW, &found)) {
        assert_true(found.content.length == 5 || (found.content.length == 0 && support_injected() > 0));
        assert_int_equal(f->cache.bytes, found.content.length);
    } else {
        assert_true(support_injected() > 0);
        assert_int_equal(f->cache.bytes, 0);
    }
    http_files_cache_clear(&f->cache);
}

static void short_memory_keeps_less(void **state)
{
    struct fixture f;

    (void)state;
    place_put("root/one", "first");
    fixture_init(&f);
    assert_true(support_torture(keep_under_pressure, &f) >= 4);
    fixture_fini(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        place_test(what_was_kept_is_found_under_its_own_name),
        place_test(kept_twice_is_kept_once),
        place_test(content_is_kept_of_small_files_only),
        place_test(content_that_is_not_in_memory_is_not_read),
        place_test(what_is_no_file_and_no_folder_is_not_kept),
        place_test(young_files_are_not_kept),
        place_test(the_one_used_longest_ago_makes_room),
        place_test(content_has_a_limit),
        place_test(what_nobody_asks_for_is_let_go),
        place_test(short_memory_keeps_less),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
