/* SPDX-License-Identifier: MIT */
/* UNIX sockets with a path: what is left behind, what is alive, and who may connect. */
#include "laws/law.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const struct law_hooks quiet = {0};
static char place[64], path[80], url[100];

static int prepare(void **state)
{
    strcpy(place, "/tmp/weft-unix-XXXXXX");
    if (!mkdtemp(place))
        return -1;
    snprintf(path, sizeof path, "%s/s", place);
    snprintf(url, sizeof url, "unix://%s", path);
    return support_setup(state);
}

static int tidy_up(void **state)
{
    unlink(path);
    rmdir(place);
    return support_teardown(state);
}

static int listen_there(struct law_world *world, const weft_listen_options *options)
{
    world->server_hooks = &quiet;
    return weft_listen(world->scope, url, &world->factory, options, &world->listener, NULL);
}

static bool pair_connected(struct law_world *world)
{
    return world->client[0].connected && world->server[0].connected;
}

static void check_works(struct law_world *world)
{
    weft_listener_url(world->listener, NULL, world->url);
    assert_string_equal(world->url, url);
    law_connect(world, 0, NULL, &quiet);
    law_until(world, pair_connected);
}

static void leave_a_stale_path(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(name.sun_path, sizeof name.sun_path, "%.60s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    close(fd);
}

static void a_stale_path_is_removed(void **state)
{
    static struct law_world world;

    (void)state;
    leave_a_stale_path();
    law_world_open(&world, &law_kinds[1], 1);
    assert_int_equal(listen_there(&world, NULL), 0);
    check_works(&world);
    law_world_close(&world);
}

static void a_live_one_is_refused(void **state)
{
    static struct law_world world;
    weft_listener *second = NULL;

    (void)state;
    law_world_open(&world, &law_kinds[1], 1);
    assert_int_equal(listen_there(&world, NULL), 0);
    assert_int_equal(weft_listen(world.scope, url, &world.factory, NULL, &second, NULL), -EADDRINUSE);
    assert_null(second);
    law_turns(&world, 3); /* the probe was a connection that is gone already */
    world.accepted = 0;
    check_works(&world);
    law_world_close(&world);
}

static void a_file_that_is_no_socket_stays(void **state)
{
    static struct law_world world;
    FILE *file = fopen(path, "w");

    (void)state;
    assert_non_null(file);
    fclose(file);
    law_world_open(&world, &law_kinds[1], 1);
    assert_int_equal(listen_there(&world, NULL), -EADDRINUSE);
    assert_int_equal(access(path, F_OK), 0);
    law_world_close(&world);
}

static void mode_is_set(void **state)
{
    static struct law_world world;
    weft_listen_options options = {.size = sizeof options, .unix_mode = 0600};
    struct stat about;

    (void)state;
    law_world_open(&world, &law_kinds[1], 1);
    assert_int_equal(listen_there(&world, &options), 0);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    check_works(&world);
    law_world_close(&world);
}

static void a_missing_directory_is_an_error(void **state)
{
    static struct law_world world;
    weft_listener *listener = NULL;

    (void)state;
    law_world_open(&world, &law_kinds[1], 1);
    assert_int_equal(weft_listen(world.scope, "unix:///nonexistent/x", &world.factory, NULL, &listener, NULL), -ENOENT);
    assert_null(listener);
    law_world_close(&world);
}

/* -- after a stop -- */

static bool is_stopped(struct law_world *world)
{
    return world->stopped;
}

static void the_path_is_gone_after_a_stop(void **state)
{
    static struct law_world world;

    (void)state;
    law_world_open(&world, &law_kinds[1], 1);
    assert_int_equal(listen_there(&world, NULL), 0);
    check_works(&world);
    law_close(&world.server[0]);
    LAW_DO(&world, weft_listener_stop(world.listener, WEFT_HOURS(1)));
    law_until(&world, is_stopped);
    assert_int_equal(access(path, F_OK), -1);
    law_world_close(&world);
}

static void the_path_is_gone_after_the_loop(void **state)
{
    static struct law_world world;

    (void)state;
    law_world_open(&world, &law_kinds[1], 1);
    assert_int_equal(listen_there(&world, NULL), 0);
    law_world_close(&world);
    assert_int_equal(access(path, F_OK), -1);
}

static ino_t inode_of_path(void)
{
    struct stat about;

    assert_int_equal(lstat(path, &about), 0);
    return about.st_ino;
}

static void a_path_that_another_has_taken_over_stays(void **state)
{
    static struct law_world world;
    ino_t others;

    (void)state;
    law_world_open(&world, &law_kinds[1], 1);
    assert_int_equal(listen_there(&world, NULL), 0);
    assert_int_equal(unlink(path), 0);
    leave_a_stale_path(); /* a socket, too, but not ours */
    others = inode_of_path();
    law_world_close(&world);
    assert_int_equal(inode_of_path(), others);
}

static void a_path_that_has_moved_stays(void **state)
{
    static struct law_world world;
    char moved[90];

    (void)state;
    law_world_open(&world, &law_kinds[1], 1);
    assert_int_equal(listen_there(&world, NULL), 0);
    snprintf(moved, sizeof moved, "%s.moved", path);
    assert_int_equal(rename(path, moved), 0);
    law_world_close(&world);
    assert_int_equal(access(moved, F_OK), 0);
    assert_int_equal(unlink(moved), 0);
}

static void an_inherited_socket_keeps_its_path(void **state)
{
    static struct law_world world;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char inherited[32];

    (void)state;
    snprintf(name.sun_path, sizeof name.sun_path, "%.60s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(listen(fd, 5), 0);
    law_world_open(&world, &law_kinds[1], 1);
    world.server_hooks = &quiet;
    snprintf(inherited, sizeof inherited, "fd://%d", fd);
    assert_int_equal(weft_listen(world.scope, inherited, &world.factory, NULL, &world.listener, NULL), 0);
    law_world_close(&world);
    assert_int_equal(access(path, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stale_path_is_removed, prepare, tidy_up),
        cmocka_unit_test_setup_teardown(a_live_one_is_refused, prepare, tidy_up),
        cmocka_unit_test_setup_teardown(a_file_that_is_no_socket_stays, prepare, tidy_up),
        cmocka_unit_test_setup_teardown(mode_is_set, prepare, tidy_up),
        cmocka_unit_test_setup_teardown(a_missing_directory_is_an_error, prepare, tidy_up),
        cmocka_unit_test_setup_teardown(the_path_is_gone_after_a_stop, prepare, tidy_up),
        cmocka_unit_test_setup_teardown(the_path_is_gone_after_the_loop, prepare, tidy_up),
        cmocka_unit_test_setup_teardown(a_path_that_another_has_taken_over_stays, prepare, tidy_up),
        cmocka_unit_test_setup_teardown(a_path_that_has_moved_stays, prepare, tidy_up),
        cmocka_unit_test_setup_teardown(an_inherited_socket_keeps_its_path, prepare, tidy_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
