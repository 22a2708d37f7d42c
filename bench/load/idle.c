/* SPDX-License-Identifier: MIT */
/*
 * Opens N connections and keeps them, silent, until its standard input ends.
 *
 *     idle -p PORT -n N [-u PATH]
 *
 * With -u each of them first asks for PATH and reads the whole answer. Prints `ready N`, with as many as there are.
 * They end with a reset, so that none lingers in TIME_WAIT.
 */
#include "probe.h"

/* As probe.c's dial, from addresses 127.0.1.1 and following, so that the ports of one do not limit us. */
static int dial_from(int port, int number)
{
    struct sockaddr_in from = address_of(UINT32_C(0x7f000101) + (uint32_t)(number / 10000), 0);
    struct sockaddr_in to = address_of(LOOPBACK, port);
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) == 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    perror("idle: connect");
    close(fd);
    return -1;
}

int main(int argc, char **argv)
{
    int port = 0, wanted = 10000, opened = 0, option;
    const char *path = NULL;
    char request[512], byte;
    size_t length = 0;

    while ((option = getopt(argc, argv, "p:n:u:")) != -1) {
        if (option == 'p')
            port = atoi(optarg);
        else if (option == 'n')
            wanted = atoi(optarg);
        else if (option == 'u')
            path = optarg;
        else
            return 2;
    }
    process_init();
    if (path)
        length = (size_t)request_text(path, request, sizeof request);
    for (; opened < wanted; opened++) {
        int fd = dial_from(port, opened);
        if (fd < 0)
            break;
        if (path)
            (void)probe_on(fd, request, length);
    }
    printf("ready %d\n", opened);
    fflush(stdout);
    while (read(0, &byte, 1) > 0)
        ;
    return 0;
}
