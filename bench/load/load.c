/* SPDX-License-Identifier: MIT */
/*
 * Closed-loop load: N connections, each with D requests in flight; a complete answer is followed by the next request.
 *
 *     load -p PORT [-c N] [-d D] [-s SIZE | -u PATH] [-U] [-t SECONDS] [-w WARM-UP] [-P PID[,PID...]]
 *
 * Without -u it is an echo load: a request is SIZE bytes and its answer as many; with -U each is a datagram of UDP, of
 * which at most 200 should be in flight, or a socket's buffer drops some and the load stands still. With -u a request is a GET of PATH;
 * how long an answer is, is learnt from a first one, which is read and checked whole (probe.c). After that answers
 * are counted by their bytes, and each that begins a read must begin with "HTTP/1.1 200". Answers of more than 64 KiB
 * are not copied out of the kernel (MSG_TRUNC), so that the load costs less than the server it measures.
 *
 * Prints one line of JSON: messages, elapsed_s, rate, p50_us, p99_us, of the processes PID cpu_s (precise),
 * user_s and system_s (by ticks), and load_cpu_s of its own.
 */
#include "probe.h"

#include <sys/epoll.h>

#define BUFFER (256 * 1024)
#define TRUNCATED_FROM (64 * 1024)
#define TRUNCATED_AT_ONCE (1024 * 1024)
#define MOST_PIDS 64

struct connection {
    int fd;
    bool wants_out;
    size_t received;     /* bytes of the answer that is arriving */
    size_t sent;         /* bytes of the request that is being sent */
    uint64_t unsent;     /* bytes that are still to be sent, from there */
    uint32_t head, tail; /* of the ring of times */
    uint64_t *times;     /* when each request in flight was sent */
};

static struct {
    int port, connections, depth;
    const char *path;
    bool datagrams;
    double seconds, warm_up;
    int pids[MOST_PIDS], pid_count;
} options = {.connections = 50, .depth = 1, .seconds = 0.4, .warm_up = 0.1};

static int queue;      /* epoll */
static char *requests; /* depth + 1 of them in a row */
static size_t request_size = 64, answer_size;
static char buffer[BUFFER];
static uint64_t answered;
static bool measuring;
static struct histogram latencies;

static void set_interest(struct connection *connection, int operation)
{
    struct epoll_event event = {.events = EPOLLIN | (connection->wants_out ? EPOLLOUT : 0), .data.ptr = connection};

    if (epoll_ctl(queue, operation, connection->fd, &event) < 0)
        die("epoll_ctl");
}

static void send_more(struct connection *connection)
{
    bool wants_out;

    while (connection->unsent > 0) {
        uint64_t most = request_size * (options.datagrams ? 1 : (size_t)options.depth);
        size_t length = connection->unsent < most ? connection->unsent : most;
        ssize_t sent = send(connection->fd, requests + connection->sent, length, MSG_NOSIGNAL);

        if (sent < 0 && errno == EAGAIN)
            break;
        if (sent < 0)
            return; /* the end of the connection is seen when it is read */
        connection->unsent -= (size_t)sent;
        connection->sent = (connection->sent + (size_t)sent) % request_size;
    }
    wants_out = connection->unsent > 0;
    if (wants_out != connection->wants_out) {
        connection->wants_out = wants_out;
        set_interest(connection, EPOLL_CTL_MOD);
    }
}

static void ask(struct connection *connection, unsigned count, uint64_t now)
{
    for (unsigned i = 0; i < count; i++)
        connection->times[connection->tail++ % (uint32_t)options.depth] = now;
    connection->unsent += (uint64_t)count * request_size;
    send_more(connection);
}

static void open_connection(struct connection *connection)
{
    connection->fd = options.datagrams ? dial_datagrams(options.port) : dial(options.port, true);
    connection->wants_out = false;
    connection->received = connection->sent = 0;
    connection->unsent = 0;
    connection->head = connection->tail = 0;
    set_interest(connection, EPOLL_CTL_ADD);
}

/* Some servers close a connection after so many requests. */
static void reopen(struct connection *connection)
{
    static unsigned reopened;

    if (!options.path || ++reopened > 100000) {
        fprintf(stderr, "load: the server closed a connection\n");
        exit(1);
    }
    close(connection->fd);
    open_connection(connection);
    ask(connection, (unsigned)options.depth, clock_ns(CLOCK_MONOTONIC));
}

static ssize_t receive(const struct connection *connection)
{
    if (answer_size > TRUNCATED_FROM)
        return recv(connection->fd, buffer, TRUNCATED_AT_ONCE, MSG_TRUNC);
    return recv(connection->fd, buffer, sizeof buffer, 0);
}

static void check_answer(const struct connection *connection, size_t count)
{
    if (!options.path || answer_size > TRUNCATED_FROM || connection->received > 0 || count < 12)
        return;
    if (memcmp(buffer, "HTTP/1.1 200", 12) != 0) {
        fprintf(stderr, "load: not a 200: %.40s\n", buffer);
        exit(1);
    }
}

static void take_answers(struct connection *connection)
{
    ssize_t count = receive(connection);
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    unsigned complete = 0;

    if (count < 0 && errno == EAGAIN)
        return;
    if (count <= 0) {
        reopen(connection);
        return;
    }
    check_answer(connection, (size_t)count);
    connection->received += (size_t)count;
    for (; connection->received >= answer_size; complete++) {
        connection->received -= answer_size;
        if (measuring)
            histogram_add(&latencies, now - connection->times[connection->head % (uint32_t)options.depth]);
        connection->head++;
    }
    answered += complete;
    if (complete > 0)
        ask(connection, complete, now);
}

/* -- what is measured -- */

struct usage {
    uint64_t at, cpu; /* ns; CPU of the processes together */
    double user, system;
    double own; /* seconds of CPU of this process */
};

static void add_ticks(int pid, struct usage *usage)
{
    unsigned long user = 0, system = 0;
    char path[32], text[1024], *rest;
    size_t length;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    file = fopen(path, "r");
    if (!file)
        return;
    length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = '\0';
    rest = strrchr(text, ')');
    if (rest && sscanf(rest + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) == 2) {
        usage->user += (double)user / (double)sysconf(_SC_CLK_TCK);
        usage->system += (double)system / (double)sysconf(_SC_CLK_TCK);
    }
}

static struct usage usage_now(void)
{
    struct usage usage = {.at = clock_ns(CLOCK_MONOTONIC)};
    clockid_t clock;

    for (int i = 0; i < options.pid_count; i++) {
        if (clock_getcpuclockid(options.pids[i], &clock) == 0)
            usage.cpu += clock_ns(clock);
        add_ticks(options.pids[i], &usage);
    }
    usage.own = (double)clock_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9;
    return usage;
}

static void print_result(const struct usage *from, const struct usage *to)
{
    double elapsed = (double)(to->at - from->at) / 1e9;

    printf("{\"messages\":%llu,\"elapsed_s\":%.6f,\"rate\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,"
           "\"cpu_s\":%.6f,\"user_s\":%.2f,\"system_s\":%.2f,\"load_cpu_s\":%.6f}\n",
           (unsigned long long)answered, elapsed, (double)answered / elapsed,
           (double)histogram_quantile(&latencies, 0.5) / 1e3, (double)histogram_quantile(&latencies, 0.99) / 1e3,
           (double)(to->cpu - from->cpu) / 1e9, to->user - from->user, to->system - from->system, to->own - from->own);
}

static void run(void)
{
    uint64_t begin = clock_ns(CLOCK_MONOTONIC) + (uint64_t)(options.warm_up * 1e9), end = UINT64_MAX, now;
    struct epoll_event events[512];
    struct usage from = {0}, to;

    for (;;) {
        int count = epoll_wait(queue, events, 512, 100);

        now = clock_ns(CLOCK_MONOTONIC);
        if (!measuring && now >= begin) {
            measuring = true;
            answered = 0;
            from = usage_now();
            end = from.at + (uint64_t)(options.seconds * 1e9);
        } else if (now >= end) {
            break;
        }
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (events[i].events & EPOLLOUT)
                send_more(connection);
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                take_answers(connection);
        }
    }
    to = usage_now();
    print_result(&from, &to);
}

static void open_all(void)
{
    struct connection *all = need(calloc((size_t)options.connections, sizeof *all));

    for (int i = 0; i < options.connections; i++) {
        all[i].times = need(calloc((size_t)options.depth, sizeof *all[i].times));
        open_connection(&all[i]);
    }
    for (int i = 0; i < options.connections; i++)
        ask(&all[i], (unsigned)options.depth, clock_ns(CLOCK_MONOTONIC));
}

static void make_requests(void)
{
    char text[512];

    if (options.path) {
        request_size = (size_t)request_text(options.path, text, sizeof text);
        answer_size = probe(options.port, text, request_size);
    } else {
        answer_size = request_size;
    }
    requests = need(malloc(request_size * ((size_t)options.depth + 1)));
    if (!options.path) {
        memset(requests, 'x', request_size * ((size_t)options.depth + 1));
        return;
    }
    for (int i = 0; i <= options.depth; i++)
        memcpy(requests + (size_t)i * request_size, text, request_size);
}

static void take_pids(char *list)
{
    for (char *pid = strtok(list, ","); pid && options.pid_count < MOST_PIDS; pid = strtok(NULL, ","))
        options.pids[options.pid_count++] = atoi(pid);
}

static void take_options(int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "p:c:d:s:u:Ut:w:P:")) != -1) {
        switch (option) {
        case 'p':
            options.port = atoi(optarg);
            break;
        case 'c':
            options.connections = atoi(optarg);
            break;
        case 'd':
            options.depth = atoi(optarg);
            break;
        case 's':
            request_size = (size_t)atol(optarg);
            break;
        case 'u':
            options.path = optarg;
            break;
        case 'U':
            options.datagrams = true;
            break;
        case 't':
            options.seconds = atof(optarg);
            break;
        case 'w':
            options.warm_up = atof(optarg);
            break;
        case 'P':
            take_pids(optarg);
            break;
        default:
            exit(2);
        }
    }
    if (options.port <= 0 || options.connections < 1 || options.depth < 1 || request_size < 1) {
        fprintf(stderr, "load: -p PORT is needed, and -c, -d and -s are at least 1\n");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    take_options(argc, argv);
    process_init();
    queue = epoll_create1(EPOLL_CLOEXEC);
    if (queue < 0)
        die("epoll_create1");
    make_requests();
    open_all();
    run();
    return 0;
}
