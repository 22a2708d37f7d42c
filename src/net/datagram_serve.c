/* SPDX-License-Identifier: MIT */
/* A small server of datagrams in one call (weft/datagram.h). */
#include <signal.h>
#include <stdio.h>

#include <weft/datagram.h>
#include <weft/signal.h>

struct server {
    weft_datagram_protocol protocol; /* passes on to the user's */
    weft_datagram_protocol *users;
    weft_datagram_socket *socket; /* NULL when it is lost */
    weft_signal terminate, interrupt;
    int reason;
};

static struct server *server_of(weft_datagram_protocol *protocol)
{
    return weft_container_of(protocol, struct server, protocol);
}

static void received(weft_datagram_protocol *protocol, weft_datagram_socket *socket, const weft_datagram *datagrams,
                     size_t count)
{
    weft_datagram_protocol *users = server_of(protocol)->users;

    if (users->ops->received)
        users->ops->received(users, socket, datagrams, count);
}

static void drained(weft_datagram_protocol *protocol, weft_datagram_socket *socket)
{
    weft_datagram_protocol *users = server_of(protocol)->users;

    if (users->ops->drained)
        users->ops->drained(users, socket);
}

static void failed(weft_datagram_protocol *protocol, weft_datagram_socket *socket, int status, const weft_address *peer)
{
    weft_datagram_protocol *users = server_of(protocol)->users;

    if (users->ops->failed)
        users->ops->failed(users, socket, status, peer);
}

static void lost(weft_datagram_protocol *protocol, weft_datagram_socket *socket, int reason)
{
    struct server *server = server_of(protocol);

    server->socket = NULL;
    server->reason = reason;
    weft_signal_stop(&server->terminate);
    weft_signal_stop(&server->interrupt);
    if (server->users->ops->lost)
        server->users->ops->lost(server->users, socket, reason);
}

static WEFT_DATAGRAM_PROTOCOL(server_ops, "datagram server", "it passes on", .received = received, .drained = drained,
                              .failed = failed, .lost = lost);

static void stop(struct server *server)
{
    if (server->socket)
        weft_datagram_close(server->socket);
}

static void terminated(weft_signal *signal)
{
    stop(weft_container_of(signal, struct server, terminate));
}

static void interrupted(weft_signal *signal)
{
    stop(weft_container_of(signal, struct server, interrupt));
}

static int tell(const char *url, int error, const weft_url_error *where)
{
    if (error == WEFT_EURL || error == WEFT_ESCHEME) {
        fprintf(stderr, "cannot receive: %s\n  %s\n  %*s^\n", where->text, url, (int)where->offset, "");
        return 2;
    }
    fprintf(stderr, "cannot receive at %s: %s\n", url, weft_error_text(error));
    return 1;
}

static int start(struct server *server, weft_loop *loop, const char *url, const weft_datagram_options *options,
                 weft_url_error *where)
{
    weft_scope *root = weft_loop_scope(loop);
    int status = weft_signal_start(&server->terminate, root, SIGTERM, terminated);

    if (status == 0)
        status = weft_signal_start(&server->interrupt, root, SIGINT, interrupted);
    if (status == 0)
        status = weft_datagram_open(root, url, &server->protocol, options, &server->socket, where);
    return status;
}

static int run(struct server *server, weft_loop *loop)
{
    char address[WEFT_LISTENER_URL];
    int status;

    weft_datagram_url(server->socket, address);
    fprintf(stderr, "listening on %s\n", address);
    status = weft_loop_run(loop);
    if (status == 0 && server->reason != WEFT_ECLOSED)
        status = server->reason;
    if (status < 0)
        fprintf(stderr, "the server failed: %s\n", weft_error_text(status));
    return status < 0;
}

int weft_serve_datagrams(const char *url, weft_datagram_protocol *protocol, const weft_datagram_options *options)
{
    struct server server = {.protocol.ops = &server_ops, .users = protocol};
    weft_url_error where = {0};
    weft_loop *loop;
    int status = weft_loop_new(NULL, &loop), exit_status;

    if (status < 0)
        return tell(url, status, &where);
    status = start(&server, loop, url, options, &where);
    exit_status = status < 0 ? tell(url, status, &where) : run(&server, loop);
    weft_loop_free(loop);
    return exit_status;
}
