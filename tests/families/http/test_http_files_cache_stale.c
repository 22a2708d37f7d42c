/* SPDX-License-Identifier: MIT */
/* What makes a kept file stale. */
#include "families/http/cache_place.h"

#include <sys/stat.h>
#include <unistd.h>

static void grow(void)
{
    place_put("root/one", "first and more");
}

static void shrink(void)
{
    assert_int_equal(truncate(place_path("root/one"), 2), 0);
}

static void delete_and_write_anew(void)
{
    place_delete();
    place_put("root/one", "first");
}

static void forbid(void)
{
    struct timespec before = place_change_time("root/one"), after;

    do {
        assert_int_equal(chmod(place_path("root/one"), 0), 0);
        after = place_change_time("root/one");
    } while (after.tv_sec == before.tv_sec && after.tv_nsec == before.tv_nsec);
}

static void become_fifo(void)
{
    place_delete();
    assert_int_equal(mkfifo(place_path("root/one"), 0644), 0);
}

static void link_in_circle(void)
{
    place_delete();
    assert_int_equal(symlink("one", place_path("root/one")), 0);
}

static void (*const changes[])(void) = {
    place_change_content,  grow,           shrink,         place_rename_over,       place_delete,
    delete_and_write_anew, forbid,         place_link_out, place_move_out_and_link, place_become_folder,
    become_fifo,           link_in_circle,
};

static void whatever_changes_makes_it_stale(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        support_set_context("change %zu", i);
        (void)unlink(place_path("root/one"));
        (void)rmdir(place_path("root/one"));
        place_put("root/one", "first");
        fixture_keep(&f, "one");
        fixture_expect(&f, "one", "first");
        changes[i]();
        assert_false(fixture_find(&f, "one"));
        assert_int_equal(map_count(&f.cache.entries), 0);
        assert_int_equal(f.cache.bytes, 0);
    }
    support_clear_context();
    fixture_fini(&f);
}

static void a_folder_is_stale_when_something_is_put_into_it(void **state)
{
    struct fixture f;
    struct timespec before, after;

    (void)state;
    fixture_init(&f);
    fixture_keep(&f, "folder");
    assert_true(fixture_find(&f, "folder"));
    before = place_change_time("root/folder");
    do {
        place_put("root/folder/more", "more");
        after = place_change_time("root/folder");
        if (after.tv_sec == before.tv_sec && after.tv_nsec == before.tv_nsec)
            assert_int_equal(unlink(place_path("root/folder/more")), 0);
    } while (after.tv_sec == before.tv_sec && after.tv_nsec == before.tv_nsec);
    assert_false(fixture_find(&f, "folder"));
    fixture_fini(&f);
}

/* A link inside the root is followed: what counts is the file at its end. */
static void a_link_that_leads_elsewhere_is_stale(void **state)
{
    struct fixture f;

    (void)state;
    place_put("root/one", "first");
    place_put("root/two", "second");
    assert_int_equal(symlink("one", place_path("root/link")), 0);
    fixture_init(&f);
    fixture_keep(&f, "link"); /* whether it would be found now depends on what following the link has to wait for */
    assert_int_equal(unlink(place_path("root/link")), 0);
    assert_int_equal(symlink("two", place_path("root/link")), 0);
    assert_false(fixture_find(&f, "link"));
    fixture_fini(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        place_test(whatever_changes_makes_it_stale),
        place_test(a_folder_is_stale_when_something_is_put_into_it),
        place_test(a_link_that_leads_elsewhere_is_stale),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
