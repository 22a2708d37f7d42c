/* SPDX-License-Identifier: MIT */
/*
 * Law 6, law 9 and EL-19 on the examples that run to an end by themselves, with somebody at the other end who answers.
 * While memory is short, system calls fail or they are cancelled they do what they are for, or say that they could not.
 */
#include "torture/driver.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "torture/inject.h"

int compare_main(int argc, char **argv);
int mirror_main(int argc, char **argv);
int portscan_main(int argc, char **argv);
int docs_callbacks_main(void);
int docs_waiting_main(void);
int docs_giving_up_main(void);

static char folder[] = "/tmp/weft-torture-XXXXXX";

struct program {
    int (*main)(const struct program *program);
    const char *expected;  /* what it says if it has done all */
    const char *otherwise; /* what it says if the system told it something else; NULL: nothing */
    int port;              /* of the origin */
};

/* -- the origin: three pages, one connection after the other -- */

static const char *page_for(const char *request)
{
    if (strncmp(request, "GET / ", 6) == 0)
        return "<a href=\"a.html\">a</a><img src=\"/b.html\">";
    return strncmp(request, "GET /a.html ", 12) == 0 ? "<a href=\"/\">home</a>" : "the end";
}

static void answer(int fd)
{
    struct timeval patience = {.tv_sec = 20};
    char request[4000] = "", response[4000];
    size_t length = 0;
    const char *page;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    while (!strstr(request, "\r\n\r\n")) {
        ssize_t more = recv(fd, request + length, sizeof request - length - 1, 0);
        if (more <= 0)
            return;
        length += (size_t)more;
        request[length] = '\0';
    }
    page = page_for(request);
    length = (size_t)snprintf(response, sizeof response,
                              "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n"
                              "Content-Length: %zu\r\n\r\n%s",
                              strlen(page), page);
    (void)send(fd, response, length, MSG_NOSIGNAL);
}

static void *serve(void *arg)
{
    const int *listener = arg;
    int fd;

    while ((fd = accept(*listener, NULL, NULL)) >= 0) {
        answer(fd);
        close(fd);
    }
    return NULL;
}

static int listen_at_origin(struct program *program)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 64) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        abort();
    program->port = ntohs(address.sin_port);
    return fd;
}

static void start_thread(pthread_t *thread, int *listener)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    if (pthread_create(thread, NULL, serve, listener) != 0)
        abort();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static int play(void *arg)
{
    struct program *program = arg;
    int listener = listen_at_origin(program), status;
    pthread_t thread;

    start_thread(&thread, &listener);
    status = program->main(program);
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener);
    return status;
}

/* -- the programs with their arguments -- */

static int run_compare(const struct program *program)
{
    char name[] = "compare", one[64], other[64];
    char *argv[] = {name, one, other, NULL};

    snprintf(one, sizeof one, "http://127.0.0.1:%d/", program->port);
    snprintf(other, sizeof other, "http://127.0.0.1:%d/b.html", program->port);
    return compare_main(3, argv);
}

static int run_mirror(const struct program *program)
{
    char name[] = "mirror", site[64];
    char *argv[] = {name, site, folder, NULL};

    snprintf(site, sizeof site, "http://127.0.0.1:%d/", program->port);
    return mirror_main(3, argv);
}

static int run_portscan(const struct program *program)
{
    char name[] = "portscan", address[] = "127.0.0.1", port[16];
    char *argv[] = {name, address, port, port, NULL};

    snprintf(port, sizeof port, "%d", program->port);
    return portscan_main(4, argv);
}

static int run_callbacks(const struct program *program)
{
    (void)program;
    return docs_callbacks_main();
}

static int run_waiting(const struct program *program)
{
    (void)program;
    return docs_waiting_main();
}

/* It sleeps for 20 ms, and gives up after 100: on a clock of its own, that other work on this machine cannot move. */
static int run_giving_up(const struct program *program)
{
    int status;

    (void)program;
    torture_time_jumps(true);
    status = docs_giving_up_main();
    torture_time_jumps(false);
    return status;
}

static void judge(void *arg, const struct torture_end *end)
{
    const struct program *program = arg;
    bool did_all = strstr(end->output, program->expected) ||
                   (end->by_call && program->otherwise && strstr(end->output, program->otherwise));

    if (!end->disturbed) {
        assert_int_equal(end->status, 0);
        assert_true(did_all);
    }
    if (end->status != 0)
        assert_string_not_equal(end->output, "");
    else if (!did_all && !end->cancelled && end->alarms == 0)
        fail_msg("it did not do all, and did not say so: %s", end->output);
}

static void short_of_memory(struct program *program, const char *name)
{
    torture_allocations(&(struct torture_scenario){name, play, judge, program, NULL, NULL});
}

static void short_of_all(struct program *program, const char *name)
{
    torture_calls(&(struct torture_scenario){name, play, judge, program, NULL, NULL});
}

static void cancelled(struct program *program, const char *name)
{
    torture_waits(&(struct torture_scenario){name, play, judge, program, NULL, NULL});
}

static struct program compare = {run_compare, "41 and 7 bytes\n", NULL, 0};
static struct program mirror = {run_mirror, "3 pages, 0 failed\n", NULL, 0};
static struct program portscan = {run_portscan, "1 open, 0 silent, 0 failed\n", "0 open, 0 silent, 0 failed\n", 0};
static struct program callbacks = {run_callbacks, "21 doubled is 42\n", NULL, 0};
static struct program waiting = {run_waiting, "21 doubled is 42\n", NULL, 0};
static struct program giving_up = {run_giving_up, "1: slept well\n", NULL, 0};

static void compare_survives_every_failed_allocation(void **state)
{
    (void)state;
    short_of_memory(&compare, "compare");
}

static void mirror_survives_every_failed_allocation(void **state)
{
    (void)state;
    short_of_memory(&mirror, "mirror");
}

static void portscan_survives_every_failed_allocation(void **state)
{
    (void)state;
    short_of_memory(&portscan, "portscan");
}

static void programs_of_the_docs_survive_every_failed_allocation(void **state)
{
    (void)state;
    short_of_memory(&callbacks, "docs/callbacks");
    short_of_memory(&waiting, "docs/waiting");
    short_of_memory(&giving_up, "docs/giving_up");
}

static void compare_survives_every_failed_call(void **state)
{
    (void)state;
    short_of_all(&compare, "compare");
}

static void mirror_survives_every_failed_call(void **state)
{
    (void)state;
    short_of_all(&mirror, "mirror");
}

static void portscan_survives_every_failed_call(void **state)
{
    (void)state;
    short_of_all(&portscan, "portscan");
}

static void programs_of_the_docs_survive_every_failed_call(void **state)
{
    (void)state;
    short_of_all(&callbacks, "docs/callbacks");
    short_of_all(&waiting, "docs/waiting");
    short_of_all(&giving_up, "docs/giving_up");
}

static void compare_can_be_cancelled_at_every_wait(void **state)
{
    (void)state;
    cancelled(&compare, "compare");
}

static void mirror_can_be_cancelled_at_every_wait(void **state)
{
    (void)state;
    cancelled(&mirror, "mirror");
}

static void portscan_can_be_cancelled_at_every_wait(void **state)
{
    (void)state;
    cancelled(&portscan, "portscan");
}

static void programs_of_the_docs_can_be_cancelled_at_every_wait(void **state)
{
    (void)state;
    cancelled(&waiting, "docs/waiting");
    cancelled(&giving_up, "docs/giving_up");
}

static int prepare(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int tidy_up(void **state)
{
    static const char *const names[] = {"index.html", "a.html", "b.html"};
    char path[sizeof folder + 20];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest long_tests[] = {torture_test(portscan_survives_every_failed_call)};
    const struct CMUnitTest tests[] = {
        torture_test(compare_survives_every_failed_allocation),
        torture_test(mirror_survives_every_failed_allocation),
        torture_test(portscan_survives_every_failed_allocation),
        torture_test(programs_of_the_docs_survive_every_failed_allocation),
        torture_test(compare_survives_every_failed_call),
        torture_test(mirror_survives_every_failed_call),
        torture_test(programs_of_the_docs_survive_every_failed_call),
        torture_test(compare_can_be_cancelled_at_every_wait),
        torture_test(mirror_can_be_cancelled_at_every_wait),
        torture_test(portscan_can_be_cancelled_at_every_wait),
        torture_test(programs_of_the_docs_can_be_cancelled_at_every_wait),
    };

    if (argc > 1 && strcmp(argv[1], "long") == 0) /* it has 500 tasks, each with a stack */
        return torture_over(cmocka_run_group_tests(long_tests, prepare, tidy_up));
    return torture_over(cmocka_run_group_tests(tests, prepare, tidy_up));
}
