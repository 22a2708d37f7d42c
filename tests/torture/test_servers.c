/* SPDX-License-Identifier: MIT */
/*
 * Law 6, law 9 and EL-19 on the examples that are servers. Somebody talks to them while memory is short, while system
 * calls fail or while they are cancelled, and once more when that is over: then they must serve, or have ended with an
 * error.
 */
#include "torture/driver.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int echo_main(int argc, char **argv);
int echo_protocol_main(int argc, char **argv);
int chat_main(int argc, char **argv);
int http_hello_main(int argc, char **argv);
int http_echo_main(int argc, char **argv);

#define LONG 40000
#define COME_AGAIN 65 /* one more than are dropped at once when descriptors run out */
#define PATIENCE 20   /* seconds for one read of somebody who should be told something */

enum heard { STUCK, CUT, SERVED };

struct server {
    int (*main)(int argc, char **argv);
    enum heard (*converse)(struct server *server);
    struct sockaddr_un address;
    socklen_t length;
    enum heard first, second;
    atomic_bool ended;
};

/*
 * Whether the listening socket was left behind can be asked by its number only, and the number may be another socket's
 * by then: nobody opens or closes one meanwhile.
 */
static pthread_mutex_t descriptors = PTHREAD_MUTEX_INITIALIZER;

static int open_socket(void)
{
    int fd;

    pthread_mutex_lock(&descriptors);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pthread_mutex_unlock(&descriptors);
    return fd;
}

static void close_socket(int fd)
{
    pthread_mutex_lock(&descriptors);
    close(fd);
    pthread_mutex_unlock(&descriptors);
}

static void close_if_it_is_still(int fd, const struct stat *before)
{
    struct stat after;

    pthread_mutex_lock(&descriptors);
    if (fstat(fd, &after) == 0 && after.st_ino == before->st_ino && after.st_dev == before->st_dev)
        close(fd);
    pthread_mutex_unlock(&descriptors);
}

/* -- talking -- */

static int visit(const struct server *server)
{
    struct timeval patience = {.tv_sec = PATIENCE};
    int fd = open_socket();

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    (void)connect(fd, (const struct sockaddr *)&server->address, server->length); /* or what follows is cut */
    return fd;
}

static void say(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, text, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* whoever reads will see it */
        text += sent;
        length -= (size_t)sent;
    }
}

/* Reads up to @p until, or to the end if it is NULL, behind what @p got holds. */
static enum heard hear(int fd, char *got, size_t size, const char *until)
{
    size_t length = strlen(got);

    while (!until || !strstr(got, until)) {
        ssize_t more = recv(fd, got + length, size - length - 1, 0);
        if (more < 0)
            return errno == EAGAIN ? STUCK : CUT;
        if (more == 0)
            return until ? CUT : SERVED;
        length += (size_t)more;
        got[length] = '\0';
    }
    return SERVED;
}

static enum heard expect(enum heard heard, const char *got, const char *expected)
{
    return heard == SERVED && !strstr(got, expected) ? CUT : heard;
}

static enum heard talk_to_echo(struct server *server)
{
    static char words[LONG], got[LONG + 10];
    int fd = visit(server);
    enum heard heard;

    memset(words, 'w', sizeof words);
    got[0] = '\0';
    say(fd, "abc", 3);
    heard = hear(fd, got, sizeof got, "abc");
    if (heard == SERVED) {
        say(fd, words, sizeof words);
        shutdown(fd, SHUT_WR);
        heard = hear(fd, got, sizeof got, NULL);
    }
    close_socket(fd);
    return heard == SERVED && strlen(got) != LONG + 3 ? CUT : heard;
}

static enum heard talk_to_chat(struct server *server)
{
    char anna_got[1000] = "", bob_got[1000] = "";
    int anna = visit(server), bob;
    enum heard heard = hear(anna, anna_got, sizeof anna_got, "you? "), other;

    say(anna, "anna\n", 5);
    bob = visit(server);
    other = hear(bob, bob_got, sizeof bob_got, "you? ");
    say(bob, "bob\nhello\n", 10);
    shutdown(bob, SHUT_WR);
    if (other == SERVED)
        other = hear(bob, bob_got, sizeof bob_got, NULL);
    shutdown(anna, SHUT_WR);
    if (heard == SERVED)
        heard = hear(anna, anna_got, sizeof anna_got, NULL);
    close_socket(anna);
    close_socket(bob);
    heard = expect(heard, anna_got, "* bob has come\nbob: hello\n* bob has gone\n");
    return other < heard ? other : heard;
}

static enum heard ask(struct server *server, const char *request, const char *answer)
{
    char got[4000] = "";
    int fd = visit(server);
    enum heard heard;

    say(fd, request, strlen(request));
    heard = hear(fd, got, sizeof got, NULL);
    close_socket(fd);
    return expect(heard, got, answer);
}

static enum heard ask_hello(struct server *server)
{
    return ask(server,
               "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
               "GET /again HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
               "Hello, world!HTTP/1.1 200 OK\r\n");
}

static enum heard ask_echo(struct server *server)
{
    return ask(server,
               "POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\nConnection: close\r\n\r\n"
               "3\r\nabc\r\n5\r\ndefgh\r\n0\r\nT: 1\r\n\r\n",
               "\"body_length\":8");
}

/* -- one run -- */

static void *talk(void *arg)
{
    struct server *server = arg;

    server->first = server->converse(server);
    torture_relent();
    server->second = server->converse(server);
    for (int i = 0; i < COME_AGAIN && server->second == CUT && torture_is_disturbed(); i++)
        server->second = server->converse(server); /* whoever comes while those are dropped who wait is dropped */
    if (!atomic_load(&server->ended))
        kill(getpid(), SIGTERM);
    return NULL;
}

static int listen_somewhere(struct server *server)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    server->address = (struct sockaddr_un){.sun_family = AF_UNIX};
    server->length = sizeof server->address;
    if (bind(fd, (const struct sockaddr *)&server->address, sizeof(sa_family_t)) < 0 || listen(fd, 16) < 0 ||
        getsockname(fd, (struct sockaddr *)&server->address, &server->length) < 0)
        abort();
    return fd;
}

static void start_thread(pthread_t *thread, struct server *server)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    if (pthread_create(thread, NULL, talk, server) != 0)
        abort();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static int play(void *arg)
{
    struct server *server = arg;
    char program[] = "example", url[32];
    char *argv[] = {program, url, NULL};
    struct stat before;
    int fd = listen_somewhere(server), status;
    pthread_t thread;

    atomic_store(&server->ended, false);
    fstat(fd, &before);
    snprintf(url, sizeof url, "fd://%d", fd);
    start_thread(&thread, server);
    status = server->main(2, argv);
    atomic_store(&server->ended, true);
    close_if_it_is_still(fd, &before); /* it may not have come so far that it would have taken it */
    pthread_join(thread, NULL);
    return status;
}

static void judge(void *arg, const struct torture_end *end)
{
    const struct server *server = arg;

    assert_int_not_equal(server->first, STUCK);
    assert_int_not_equal(server->second, STUCK);
    if (end->cancelled)
        return;
    if (!end->disturbed) {
        assert_int_equal(server->first, SERVED);
        assert_int_equal(end->status, 0);
    }
    if (end->status == 0)
        assert_int_equal(server->second, SERVED);
    else
        assert_string_not_equal(end->output, "");
}

static void short_of_memory(struct server *server, const char *name)
{
    torture_allocations(&(struct torture_scenario){name, play, judge, server, NULL, NULL});
}

static void short_of_all(struct server *server, const char *name)
{
    torture_calls(&(struct torture_scenario){name, play, judge, server, NULL, NULL});
}

static void cancelled(struct server *server, const char *name)
{
    torture_waits(&(struct torture_scenario){name, play, judge, server, NULL, NULL});
}

static struct server echo = {.main = echo_main, .converse = talk_to_echo};
static struct server echo_protocol = {.main = echo_protocol_main, .converse = talk_to_echo};
static struct server chat = {.main = chat_main, .converse = talk_to_chat};
static struct server http_hello = {.main = http_hello_main, .converse = ask_hello};
static struct server http_echo = {.main = http_echo_main, .converse = ask_echo};

static void echo_survives_every_failed_allocation(void **state)
{
    (void)state;
    short_of_memory(&echo, "echo");
}

static void echo_protocol_survives_every_failed_allocation(void **state)
{
    (void)state;
    short_of_memory(&echo_protocol, "echo_protocol");
}

static void chat_survives_every_failed_allocation(void **state)
{
    (void)state;
    short_of_memory(&chat, "chat");
}

static void http_hello_survives_every_failed_allocation(void **state)
{
    (void)state;
    short_of_memory(&http_hello, "http_hello");
}

static void http_echo_survives_every_failed_allocation(void **state)
{
    (void)state;
    short_of_memory(&http_echo, "http_echo");
}

static void echo_survives_every_failed_call(void **state)
{
    (void)state;
    short_of_all(&echo, "echo");
}

static void echo_protocol_survives_every_failed_call(void **state)
{
    (void)state;
    short_of_all(&echo_protocol, "echo_protocol");
}

static void chat_survives_every_failed_call(void **state)
{
    (void)state;
    short_of_all(&chat, "chat");
}

static void http_hello_survives_every_failed_call(void **state)
{
    (void)state;
    short_of_all(&http_hello, "http_hello");
}

static void http_echo_survives_every_failed_call(void **state)
{
    (void)state;
    short_of_all(&http_echo, "http_echo");
}

static void echo_can_be_cancelled_at_every_wait(void **state)
{
    (void)state;
    cancelled(&echo, "echo");
}

static void chat_can_be_cancelled_at_every_wait(void **state)
{
    (void)state;
    cancelled(&chat, "chat");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        torture_test(echo_survives_every_failed_allocation),
        torture_test(echo_protocol_survives_every_failed_allocation),
        torture_test(chat_survives_every_failed_allocation),
        torture_test(http_hello_survives_every_failed_allocation),
        torture_test(http_echo_survives_every_failed_allocation),
        torture_test(echo_survives_every_failed_call),
        torture_test(echo_protocol_survives_every_failed_call),
        torture_test(chat_survives_every_failed_call),
        torture_test(http_hello_survives_every_failed_call),
        torture_test(http_echo_survives_every_failed_call),
        torture_test(echo_can_be_cancelled_at_every_wait),
        torture_test(chat_can_be_cancelled_at_every_wait),
    };
    return torture_over(cmocka_run_group_tests(tests, NULL, NULL));
}
