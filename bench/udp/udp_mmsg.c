/* SPDX-License-Identifier: MIT */
/*
 * UDP echo on bare epoll: the practical limit.
 *
 *     udp_mmsg PORT
 *
 * Level-triggered; one recvmmsg of up to 64 datagrams of at most 2 KiB for each event, and one sendmmsg that gives all of
 * them back. What does not go out at once is lost.
 */
#include "../common/bench.h"

#include <sys/epoll.h>

#define BATCH 64
#define LONGEST 2048

static char memory[BATCH][LONGEST];
static struct sockaddr_storage names[BATCH];
static struct iovec runs[BATCH];
static struct mmsghdr headers[BATCH];

static void prepare(void)
{
    for (int i = 0; i < BATCH; i++) {
        runs[i] = (struct iovec){.iov_base = memory[i], .iov_len = LONGEST};
        headers[i].msg_hdr = (struct msghdr){
            .msg_iov = &runs[i], .msg_iovlen = 1, .msg_name = &names[i], .msg_namelen = sizeof names[i]};
    }
}

static void echo(int fd)
{
    int count = recvmmsg(fd, headers, BATCH, MSG_DONTWAIT, NULL);

    if (count <= 0)
        return;
    for (int i = 0; i < count; i++)
        runs[i].iov_len = headers[i].msg_len;
    (void)sendmmsg(fd, headers, (unsigned)count, MSG_DONTWAIT | MSG_NOSIGNAL);
    for (int i = 0; i < count; i++) {
        runs[i].iov_len = LONGEST;
        headers[i].msg_hdr.msg_namelen = sizeof names[i];
    }
}

static int open_socket(int port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0)
        die("socket");
    return fd;
}

int main(int argc, char **argv)
{
    struct epoll_event event = {.events = EPOLLIN};
    int queue = epoll_create1(EPOLL_CLOEXEC), fd;

    if (argc != 2 || queue < 0)
        return 2;
    process_init();
    fd = open_socket(atoi(argv[1]));
    if (epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event) < 0)
        die("epoll_ctl");
    prepare();
    for (;;)
        if (epoll_wait(queue, &event, 1, -1) > 0)
            echo(fd);
}
