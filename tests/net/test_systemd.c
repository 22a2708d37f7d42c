/* SPDX-License-Identifier: MIT */
/* systemd://NAME: sockets that a service manager has opened. The environment is read once in a process, so each case has one. */
#include "support/support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weft/listener.h>

#include "backend/inherited.h"

#define FIRST 3

/* A child fails with the line. */
#define DEMAND(expression)             \
    do {                               \
        if (!(expression))             \
            _exit(__LINE__ % 200 + 1); \
    } while (0)

static void in_a_process(void (*run)(void))
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        run();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void put_listener(int number)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    DEMAND(fd >= 0 && bind(fd, (struct sockaddr *)&name, sizeof name) == 0 && listen(fd, 5) == 0);
    if (fd == number)
        return;
    DEMAND(dup2(fd, number) == number);
    close(fd);
}

static void pass(const char *pid, const char *count, const char *names)
{
    char own[16];

    snprintf(own, sizeof own, "%d", (int)getpid());
    setenv("LISTEN_PID", pid ? pid : own, 1);
    setenv("LISTEN_FDS", count, 1);
    if (names)
        setenv("LISTEN_FDNAMES", names, 1);
    else
        unsetenv("LISTEN_FDNAMES");
    for (int i = 0; i < 3; i++)
        put_listener(FIRST + i);
}

static int take(const char *name)
{
    return inherited_take(weft_bytes_from(name));
}

static void take_by_name(void)
{
    pass(NULL, "3", "web:mail:web");
    DEMAND(take("mail") == 4);
    DEMAND(take("mail") == WEFT_ENOSOCKET);
    DEMAND(take("web") == 3);
    DEMAND(take("web") == 5);
    DEMAND(take("web") == WEFT_ENOSOCKET);
    DEMAND(take("we") == WEFT_ENOSOCKET);
    inherited_give_back(3);
    DEMAND(take("") == 3);
    DEMAND(take("") == WEFT_ENOSOCKET);
}

static void sockets_are_found_by_name_and_taken_once(void **state)
{
    (void)state;
    in_a_process(take_by_name);
}

static void look_at_children(void)
{
    pass(NULL, "2", NULL);
    DEMAND(fcntl(FIRST, F_GETFD) == 0);
    DEMAND(take("unknown") == 3);
    for (int i = 0; i < 2; i++)
        DEMAND(fcntl(FIRST + i, F_GETFD) == FD_CLOEXEC);
    DEMAND(fcntl(FIRST + 2, F_GETFD) == 0); /* it is none of them */
    DEMAND(!getenv("LISTEN_PID") && !getenv("LISTEN_FDS") && !getenv("LISTEN_FDNAMES"));
}

static void no_child_is_told_of_them(void **state)
{
    (void)state;
    in_a_process(look_at_children);
}

static void for_another(void)
{
    pass("1", "2", NULL);
    DEMAND(take("") == WEFT_ENOSOCKET);
    DEMAND(fcntl(FIRST, F_GETFD) == 0);
    DEMAND(!getenv("LISTEN_FDS"));
}

static void what_was_meant_for_another_process_is_left_alone(void **state)
{
    (void)state;
    in_a_process(for_another);
}

static void refuse(const char *count, const char *names)
{
    support_log_expect("do not agree");
    pass(NULL, count, names);
    DEMAND(take("") == WEFT_ENOSOCKET);
}

static void too_few_names(void)
{
    refuse("2", "a");
}

static void too_many_names(void)
{
    refuse("2", "a:b:c");
}

static void no_number(void)
{
    refuse("2x", NULL);
}

static void too_many(void)
{
    refuse("65", NULL);
}

static void not_open(void)
{
    DEMAND(fcntl(40, F_GETFD) < 0);
    refuse("60", NULL);
}

static void an_environment_that_is_wrong_gives_nothing(void **state)
{
    static void (*const wrong[])(void) = {too_few_names, too_many_names, no_number, too_many, not_open};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        in_a_process(wrong[i]);
}

static weft_protocol *build(weft_factory *factory, weft_stream *stream)
{
    (void)factory;
    (void)stream;
    return NULL;
}

static const weft_factory_ops factory_ops = {.build = build};
static weft_factory factory = {&factory_ops};

static void listen_there(void)
{
    const weft_loop_options options = {.size = sizeof options, .backend = support_engine()};
    struct sockaddr_in name;
    socklen_t length = sizeof name;
    char url[WEFT_LISTENER_URL], expected[64];
    weft_listener *listener;
    weft_loop *loop;

    pass(NULL, "1", "web");
    DEMAND(getsockname(FIRST, (struct sockaddr *)&name, &length) == 0);
    snprintf(expected, sizeof expected, "tcp://127.0.0.1:%d", ntohs(name.sin_port));
    DEMAND(weft_loop_new(&options, &loop) == 0);
    DEMAND(weft_listen(weft_loop_scope(loop), "systemd://mail", &factory, NULL, &listener, NULL) == WEFT_ENOSOCKET);
    DEMAND(weft_listen(weft_loop_scope(loop), "systemd://web", &factory, NULL, &listener, NULL) == 0);
    weft_listener_url(listener, NULL, url);
    DEMAND(strcmp(url, expected) == 0);
    weft_loop_free(loop);
    DEMAND(fcntl(FIRST, F_GETFD) < 0 && errno == EBADF); /* it was taken */
}

static void a_listener_takes_its_socket(void **state)
{
    (void)state;
    in_a_process(listen_there);
}

static void listen_at_a_file(void)
{
    const weft_loop_options options = {.size = sizeof options, .backend = support_engine()};
    weft_listener *listener;
    weft_loop *loop;

    pass(NULL, "1", "web");
    close(FIRST);
    DEMAND(open("/", O_RDONLY | O_DIRECTORY) == FIRST);
    DEMAND(weft_loop_new(&options, &loop) == 0);
    DEMAND(weft_listen(weft_loop_scope(loop), "systemd://web", &factory, NULL, &listener, NULL) < 0);
    DEMAND(take("web") == FIRST); /* nobody has it */
    weft_loop_free(loop);
}

static void what_is_no_socket_is_refused_and_left_open(void **state)
{
    (void)state;
    in_a_process(listen_at_a_file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(sockets_are_found_by_name_and_taken_once),
        support_test(no_child_is_told_of_them),
        support_test(what_was_meant_for_another_process_is_left_alone),
        support_test(an_environment_that_is_wrong_gives_nothing),
        support_test(a_listener_takes_its_socket),
        support_test(what_is_no_socket_is_refused_and_left_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
