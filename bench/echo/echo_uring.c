/* SPDX-License-Identifier: MIT */
/*
 * TCP echo on bare io_uring: what an engine on it can reach at best.
 *
 *     echo_uring PORT
 *
 * Multishot accept, multishot receive into a ring of buffers of 16 KiB, sends out of the same buffers; all that a batch of
 * completions asks for is submitted with the call that waits for the next. No limits, no deadlines, no owner of
 * anything.
 */
#include "../common/bench.h"

#include <liburing.h>
#include <sys/mman.h>

#define BUFFERS 1024
#define SIZE (16 * 1024)

enum { ACCEPT, RECEIVE, SEND };

struct connection {
    int fd, first, last; /* buffers that are to be sent, -1: none */
    uint32_t sent;       /* of the first */
    bool receiving, sending, over, starved;
    struct connection *next; /* of those that found no buffer */
};

static struct io_uring ring;
static struct io_uring_buf_ring *provided;
static char *memory;
static int next_of[BUFFERS];
static uint32_t length_of[BUFFERS];
static struct connection *starved;

static struct io_uring_sqe *entry(void)
{
    struct io_uring_sqe *sqe;

    while (!(sqe = io_uring_get_sqe(&ring)))
        io_uring_submit(&ring);
    return sqe;
}

static void provide(int id)
{
    io_uring_buf_ring_add(provided, memory + (size_t)id * SIZE, SIZE, (unsigned short)id, BUFFERS - 1, 0);
    io_uring_buf_ring_advance(provided, 1);
}

static void receive(struct connection *connection)
{
    struct io_uring_sqe *sqe = entry();

    io_uring_prep_recv_multishot(sqe, connection->fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->user_data = (uint64_t)(uintptr_t)connection | RECEIVE;
    connection->receiving = true;
}

static void send_first(struct connection *connection)
{
    int id = connection->first;
    struct io_uring_sqe *sqe;

    if (connection->sending || id < 0 || connection->over)
        return;
    sqe = entry();
    io_uring_prep_send(sqe, connection->fd, memory + (size_t)id * SIZE + connection->sent,
                       length_of[id] - connection->sent, MSG_NOSIGNAL);
    sqe->user_data = (uint64_t)(uintptr_t)connection | SEND;
    connection->sending = true;
}

static void drop_when_home(struct connection *connection)
{
    if (!connection->over || connection->receiving || connection->sending || connection->starved)
        return;
    while (connection->first >= 0) {
        int id = connection->first;
        connection->first = next_of[id];
        provide(id);
    }
    close(connection->fd);
    free(connection);
}

static void over(struct connection *connection)
{
    connection->over = true;
    shutdown(connection->fd, SHUT_RDWR);
    drop_when_home(connection);
}

static void received(struct connection *connection, const struct io_uring_cqe *cqe)
{
    int id = (int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);

    connection->receiving = cqe->flags & IORING_CQE_F_MORE;
    if (cqe->res == -ENOBUFS) {
        connection->starved = true;
        connection->next = starved;
        starved = connection;
        return;
    }
    if (cqe->res <= 0) {
        over(connection);
        return;
    }
    length_of[id] = (uint32_t)cqe->res;
    next_of[id] = -1;
    if (connection->first < 0)
        connection->first = id;
    else
        next_of[connection->last] = id;
    connection->last = id;
    send_first(connection);
    if (!connection->receiving && !connection->over)
        receive(connection);
}

static void feed(void)
{
    struct connection *connection = starved;

    if (!connection)
        return;
    starved = connection->next;
    connection->starved = false;
    if (connection->over)
        drop_when_home(connection);
    else
        receive(connection);
}

static void sent(struct connection *connection, int count)
{
    int id = connection->first;

    connection->sending = false;
    if (count <= 0) {
        over(connection);
        return;
    }
    connection->sent += (uint32_t)count;
    if (connection->sent == length_of[id]) {
        connection->first = next_of[id];
        connection->sent = 0;
        provide(id);
        feed();
    }
    send_first(connection);
    drop_when_home(connection);
}

static void accept_them(int listener)
{
    struct io_uring_sqe *sqe = entry();

    io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, SOCK_CLOEXEC);
    sqe->user_data = ACCEPT;
}

static void accepted(int listener, const struct io_uring_cqe *cqe)
{
    struct connection *connection;

    if (!(cqe->flags & IORING_CQE_F_MORE))
        accept_them(listener);
    if (cqe->res < 0)
        return;
    set_nodelay(cqe->res);
    connection = need(calloc(1, sizeof *connection));
    connection->fd = cqe->res;
    connection->first = -1;
    receive(connection);
}

static void open_ring(void)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE, .cq_entries = 16384};
    struct io_uring_buf_reg about = {.ring_entries = BUFFERS};

    if (io_uring_queue_init_params(2048, &ring, &params) < 0)
        die("io_uring");
    provided =
        mmap(NULL, BUFFERS * sizeof(struct io_uring_buf), PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
    memory = mmap(NULL, (size_t)BUFFERS * SIZE, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
    if (provided == MAP_FAILED || memory == MAP_FAILED)
        die("mmap");
    about.ring_addr = (uint64_t)(uintptr_t)provided;
    if (io_uring_register_buf_ring(&ring, &about, 0) < 0)
        die("io_uring");
    io_uring_buf_ring_init(provided);
    for (int i = 0; i < BUFFERS; i++)
        provide(i);
}

int main(int argc, char **argv)
{
    int listener;

    if (argc < 2)
        return 2;
    process_init();
    listener = listen_on(atoi(argv[1]));
    open_ring();
    accept_them(listener);
    for (;;) {
        struct io_uring_cqe *cqe;
        unsigned head, count = 0;

        io_uring_submit_and_wait(&ring, 1);
        io_uring_for_each_cqe(&ring, head, cqe)
        {
            struct connection *connection = (struct connection *)(uintptr_t)(cqe->user_data & ~UINT64_C(3));

            count++;
            if (!connection)
                accepted(listener, cqe);
            else if ((cqe->user_data & 3) == RECEIVE)
                received(connection, cqe);
            else
                sent(connection, cqe->res);
        }
        io_uring_cq_advance(&ring, count);
    }
}
