/* SPDX-License-Identifier: MIT */
/* `weft get` as it stands, in a simulated world: what it fetches gets to the disk of its host, and to no other. */
#include "support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weft/file_deferred.h>
#include <weft/http.h>
#include <weft/http_files.h>
#include <weft/log.h>
#include <weft/sim.h>
#include <weft/task.h>

#include "get.h"

#define CONTENT "all of the page"
#define MODIFIED 100000000 /* of the page: in 1973 */

static char place[64];
static weft_sim *sim;

/* -- the programs -- */

static int site_main(int argc, char **argv)
{
    weft_http_files *files = NULL;
    weft_directory *directory;
    int status = weft_directory_open(place, &directory);

    (void)argc;
    if (status == 0)
        status = weft_http_files_new(directory, NULL, &files);
    if (status == 0)
        status = weft_http_serve(argv[1], weft_http_files_handler(files));
    weft_http_files_free(files);
    weft_directory_unref(directory);
    return status;
}

static int get_main(int argc, char **argv)
{
    struct get_options options;

    if (options_parse(&get_command, argc - 1, argv + 1, &options, stderr) != OPTIONS_RUN)
        return EXIT_USAGE;
    return get_run(&options);
}

/* What a host has under `name`, and what it is to be given first. */
static struct {
    const char *name, *text;
    char found[64];
    weft_time modified;
} disk;

static int use_disk(weft_task *me, void *arg)
{
    weft_scope *scope = weft_task_scope(me);
    weft_directory *directory;
    weft_file *file;

    (void)arg;
    assert_int_equal(weft_directory_open(place, &directory), 0);
    assert_int_equal(weft_await(weft_file_create(scope, directory, disk.name, 0), &file), 0);
    if (disk.text)
        assert_int_equal(weft_wait(weft_file_write(scope, file, 0, weft_bytes_from(disk.text))), 0);
    memset(disk.found, 0, sizeof disk.found);
    assert_true(weft_file_read_cached(file, 0, disk.found, sizeof disk.found - 1) >= 0);
    disk.modified = weft_file_about(file)->modified;
    weft_file_unref(file);
    weft_directory_unref(directory);
    return 0;
}

static int disk_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return weft_run(use_disk, NULL);
}

/* -- what they do -- */

/* Runs @p entry on the client's host to its end. */
static int run(int (*entry)(int argc, char **argv), char **arguments)
{
    assert_int_equal(weft_sim_program(sim, "client.example", entry, arguments), 0);
    while (weft_sim_program_status(sim, "client.example") == -EINPROGRESS)
        assert_true(weft_sim_run(sim, WEFT_SECONDS(1)) >= 0);
    return weft_sim_program_status(sim, "client.example");
}

static const char *on_disk(const char *file, const char *text)
{
    static char program[] = "disk", *arguments[] = {program, NULL};

    disk.name = file;
    disk.text = text;
    assert_int_equal(run(disk_main, arguments), 0);
    return disk.found;
}

/* Fetches the page into @p file. */
static int fetch(const char *file, const char *option, const char *value)
{
    char program[] = "get", url[] = "http://site.example/page", quiet[] = "-q", output[] = "-o", path[128];
    char *arguments[] = {program, quiet, output, path, url, strdup(option), strdup(value), NULL};
    int status;

    snprintf(path, sizeof path, "%s/%s", place, file);
    status = run(get_main, arguments);
    free(arguments[5]);
    free(arguments[6]);
    return status;
}

static bool system_has(const char *file)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", place, file);
    return access(path, F_OK) == 0;
}

static void begin(uint64_t seed)
{
    static char program[] = "site", url[] = "tcp://0.0.0.0:80", *serving[] = {program, url, NULL};

    sim = weft_sim_new(seed);
    assert_non_null(sim);
    assert_int_equal(weft_sim_program(sim, "site.example", site_main, serving), 0);
    assert_true(weft_sim_run(sim, WEFT_SECONDS(1)) >= 0);
}

static void end(void)
{
    assert_int_equal(weft_sim_signal(sim, "site.example", SIGTERM), 0);
    weft_sim_calm(sim);
    assert_int_equal(weft_sim_run(sim, WEFT_MINUTES(10)), 0);
    weft_sim_free(sim);
}

static void what_is_fetched_is_on_the_disk_of_its_host(void **state)
{
    (void)state;
    begin(1);
    assert_int_equal(fetch("new", "--max-time", "1h"), 0);
    assert_string_equal(on_disk("new", NULL), CONTENT);
    assert_true(disk.modified == WEFT_SECONDS(MODIFIED));
    assert_false(system_has("new"));
    end();
}

static void what_is_there_is_gone_on_with(void **state)
{
    (void)state;
    begin(1);
    (void)on_disk("part", "all of");
    assert_int_equal(fetch("part", "--continue", "-"), 0);
    assert_string_equal(on_disk("part", NULL), CONTENT);
    (void)on_disk("longer", "all of what is there already");
    assert_int_equal(fetch("longer", "--max-time", "1h"), 0);
    assert_string_equal(on_disk("longer", NULL), CONTENT);
    assert_false(system_has("part") || system_has("longer"));
    end();
}

static void what_the_disk_refuses_is_told(void **state)
{
    static const weft_faults full = {.size = sizeof full, .full_disks = 1000000};
    unsigned refused = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        begin(seed);
        assert_int_equal(weft_sim_faults(sim, &full), 0);
        refused += fetch("refused", "--max-time", "1h") == GET_CANNOT_WRITE;
        assert_false(system_has("refused"));
        end();
    }
    assert_true(refused > 0 && refused < 20);
}

static int setup(void **state)
{
    const struct timespec times[2] = {{.tv_sec = MODIFIED}, {.tv_sec = MODIFIED}};
    char path[128];
    FILE *out;

    strcpy(place, "/tmp/weft-sim-get-XXXXXX");
    if (!mkdtemp(place))
        return -1;
    snprintf(path, sizeof path, "%s/page", place);
    out = fopen(path, "w");
    if (!out || fputs(CONTENT, out) < 0 || fclose(out) != 0 || utimensat(AT_FDCWD, path, times, 0) < 0)
        return -1;
    return support_setup(state);
}

static int teardown(void **state)
{
    char command[100];
    int status = support_teardown(state);

    snprintf(command, sizeof command, "rm -rf '%s'", place);
    return system(command) != 0 ? -1 : status;
}

#define get_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        get_test(what_is_fetched_is_on_the_disk_of_its_host),
        get_test(what_is_there_is_gone_on_with),
        get_test(what_the_disk_refuses_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
