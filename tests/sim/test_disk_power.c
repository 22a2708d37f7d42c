/* SPDX-License-Identifier: MIT */
/* Disks that lose their power: what was synced is there, and of the rest what the seed leaves. */
#include "sim/disk_kit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <weft/file_deferred.h>
#include <weft/log.h>
#include <weft/task.h>

static void what_was_synced_survives_the_loss_of_power(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        begin(seed, NULL);
        put_whole("f", "kept", true);
        assert_int_equal(make_directory("d"), 0);
        assert_int_equal(sync_directory("."), 0);
        put_whole("d/g", "kept, too", true);
        assert_int_equal(sync_directory("d"), 0);
        assert_int_equal(weft_sim_crash(sim, "host.example"), 0);
        host = weft_sim_host(sim, "host.example");
        assert_string_equal(content("f"), "kept");
        assert_string_equal(content("d/g"), "kept, too");
        assert_string_equal(content("a.txt"), "the system's");
        end();
    }
}

static void what_was_not_synced_may_be_lost_or_torn(void **state)
{
    static char old[3000], new[3000];
    unsigned gone = 0, there = 0, torn = 0;

    (void)state;
    memset(old, 'o', sizeof old - 1);
    memset(new, 'n', sizeof new - 1);
    for (uint64_t seed = 1; seed <= 60; seed++) {
        const char *text;
        weft_file *file;
        char all[3000] = "";

        begin(seed, NULL);
        put_whole("f", old, true);
        assert_int_equal(sync_directory("."), 0);
        assert_int_equal(create("f", 0, &file), 0);
        assert_int_equal(put(file, 0, new), 0);
        weft_file_unref(file);
        put_whole("g", "never synced", true); /* its directory was not */
        assert_int_equal(weft_sim_crash(sim, "host.example"), 0);
        host = weft_sim_host(sim, "host.example");
        text = content("g");
        gone += !text;
        there += text && strcmp(text, "never synced") == 0;
        assert_int_equal(open_path("f", &file), 0);
        assert_int_equal(result(weft_file_read_start(&now.call, ROOT, file, 0, all, sizeof all, told)), 0);
        assert_int_equal(now.call.count, sizeof all - 1);
        torn += memchr(all, 'o', now.call.count) && memchr(all, 'n', now.call.count);
        weft_file_unref(file);
        end();
    }
    assert_int_equal(gone + there, 60);
    assert_true(gone > 10 && there > 10 && torn > 20);
}

/* What was cut off and synced does not come back; nor is there anything else where a file was made longer. */
static void what_was_cut_stays_cut(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        char text[16] = "";
        weft_file *file;

        begin(seed, NULL);
        put_whole("f", "0123456789", true);
        assert_int_equal(sync_directory("."), 0);
        assert_int_equal(create("f", 0, &file), 0);
        assert_int_equal(result(weft_file_truncate_start(&now.call, ROOT, file, 4, told)), 0);
        assert_int_equal(sync_file(file), 0);
        assert_int_equal(result(weft_file_truncate_start(&now.call, ROOT, file, 8, told)), 0);
        if (seed % 2)
            assert_int_equal(sync_file(file), 0);
        weft_file_unref(file);
        assert_int_equal(weft_sim_crash(sim, "host.example"), 0);
        host = weft_sim_host(sim, "host.example");
        assert_int_equal(open_path("f", &file), 0);
        assert_int_equal(result(weft_file_read_start(&now.call, ROOT, file, 0, text, sizeof text, told)), 0);
        assert_true(now.call.count == 8 || (seed % 2 == 0 && now.call.count == 4));
        assert_memory_equal(text, "0123\0\0\0\0", 8);
        weft_file_unref(file);
        end();
    }
}

/* The recipe of weft/file_write.h: at any moment the old content is there, or the new one. */
static unsigned replaced;

static int replace(weft_task *me, void *arg)
{
    weft_scope *scope = weft_task_scope(me);
    weft_file *file;
    int status;

    (void)arg;
    for (unsigned i = 0; i < 100; i++) {
        char text[16];

        snprintf(text, sizeof text, "number %u", i);
        status = weft_await(weft_file_create(scope, directory, "f.new", WEFT_FILE_TRUNCATE), &file);
        if (status < 0)
            continue;
        status = weft_wait(weft_file_write(scope, file, 0, weft_bytes_from(text)));
        if (status == 0)
            status = weft_wait(weft_file_sync(scope, file));
        weft_file_unref(file);
        if (status == 0)
            status = weft_wait(weft_file_rename(scope, directory, "f.new", "f"));
        if (status == 0)
            status = weft_wait(weft_directory_sync(scope, directory, "."));
        if (status == 0)
            replaced = i + 1;
    }
    return 0;
}

static uint64_t replace_and_crash(uint64_t seed)
{
    unsigned found = 0;
    const char *text;
    uint64_t hash;

    begin(seed, NULL);
    replaced = 0;
    weft_sim_swarm(sim, false);
    assert_non_null(weft_spawn_done(ROOT, replace, NULL).deferred);
    assert_true(weft_sim_run(sim, (weft_time)weft_sim_draw(sim, WEFT_SECONDS(2))) >= 0);
    assert_int_equal(weft_sim_crash(sim, "host.example"), 0);
    weft_sim_calm(sim);
    host = weft_sim_host(sim, "host.example");
    text = content("f");
    if (text)
        assert_int_equal(sscanf(text, "number %u", &found), 1);
    assert_true(replaced == 0 || (text && found + 1 >= replaced));
    hash = weft_sim_hash(sim);
    end();
    return hash;
}

static void a_safe_replacement_survives_everything(void **state)
{
    (void)state;
    weft_log_set_threshold(WEFT_LOG_ERROR);
    for (uint64_t seed = 1; seed <= 300; seed++) {
        uint64_t hash;

        support_set_context("seed %" PRIu64, seed);
        hash = replace_and_crash(seed);
        assert_true(replace_and_crash(seed) == hash);
        support_clear_context();
    }
    weft_log_set_threshold(WEFT_LOG_INFO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        disk_test(what_was_synced_survives_the_loss_of_power),
        disk_test(what_was_not_synced_may_be_lost_or_torn),
        disk_test(what_was_cut_stays_cut),
        disk_test(a_safe_replacement_survives_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
