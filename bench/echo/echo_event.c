/* SPDX-License-Identifier: MIT */
/* TCP echo on libevent's bufferevents, its own way to move bytes.      echo_event PORT */
#include "../common/bench.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

static void echo(struct bufferevent *bufferevent, void *unused)
{
    (void)unused;
    evbuffer_add_buffer(bufferevent_get_output(bufferevent), bufferevent_get_input(bufferevent));
}

static void ended(struct bufferevent *bufferevent, short what, void *unused)
{
    (void)unused;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
        bufferevent_free(bufferevent);
}

static void accepted(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from, int length, void *base)
{
    struct bufferevent *bufferevent = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

    (void)listener;
    (void)from;
    (void)length;
    need(bufferevent);
    set_nodelay(fd);
    bufferevent_set_max_single_read(bufferevent, 65536);
    bufferevent_set_max_single_write(bufferevent, 262144);
    bufferevent_setcb(bufferevent, echo, NULL, ended, NULL);
    bufferevent_enable(bufferevent, EV_READ | EV_WRITE);
}

int main(int argc, char **argv)
{
    struct event_base *base = event_base_new();

    if (argc < 2 || !base)
        return 2;
    process_init();
    if (!evconnlistener_new(base, accepted, base, LEV_OPT_CLOSE_ON_FREE, 0, listen_on(atoi(argv[1]))))
        die("listen");
    return event_base_dispatch(base);
}
