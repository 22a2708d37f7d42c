/* SPDX-License-Identifier: MIT */
/*
 * A simulator that is kinder than the kernel is worthless. A case here is a dialogue with the seam itself: what is
 * asked, what it answers, and what the owners of streams and listeners are told, one thing after another, until there
 * is nothing more to be told. It is run on sockets of the kernel and in simulated worlds, and has to pass word for word
 * on both. Where the kernel may answer this or that, the case names the set.
 *
 * What is not compared: in which order several owners are told of one turn; how bytes are divided into deliveries; how
 * many bytes a full connection holds.
 */
#ifndef SIM_CONFORM_H
#define SIM_CONFORM_H

#include "support/support.h"

#include <errno.h>

#include <weft/error.h>

#include "backend/backend.h"

#define CONFORM_ENDS 8
#define CONFORM_PLACES 4
#define CONFORM_TOLD 16

/* What an owner was told. */
enum conform_what { CONFORM_CONNECTED = 1, CONFORM_END, CONFORM_FAILURE, CONFORM_SENT, CONFORM_MISSED };

enum conform_net { CONFORM_TCP = 1, CONFORM_UNIX = 2, CONFORM_MEMORY = 4 };

struct conform;

/* The owner of one end of a connection. */
struct conform_end {
    struct backend_stream handle;
    struct conform *conform;
    struct {
        enum conform_what what;
        int64_t value;
    } told[CONFORM_TOLD];
    size_t told_count;
    uint64_t got, expected, sent; /* bytes: that came, that the case has asked for, that went */
    weft_address peer;
    bool used, is_open, closing;
    bool closes_on_bytes; /* closes itself as soon as some come */
};

/* The owner of a listener. */
struct conform_place {
    struct backend_listener handle;
    struct conform *conform;
    struct backend_endpoint at;
    size_t refuse; /* so many are refused */
    bool is_open;
};

struct conform_kind {
    const char *name;
    enum conform_net net;
    const char *uring; /* this tier of io_uring */
    bool by_poll;      /* else, of the kernel, by epoll */
    bool simulated;
    bool far;       /* it takes time to get there */
    bool completes; /* some connections complete their sends later, with buffers of all sizes */
};

struct conform {
    const struct conform_kind *kind;
    struct backend *backend;
    struct backend_host host;
    struct conform_end ends[CONFORM_ENDS];
    struct conform_place places[CONFORM_PLACES];
    size_t end_count, place_count;
    bool waited; /* what is ready has not been told yet */
};

/* -- connections -- */

/* Listens at the kind's own endpoint, with room for @p backlog; the case accepts as it likes. */
struct conform_place *conform_listen(struct conform *conform, int backlog);
/* The same at @p at. The result of the call goes to *ret_status. */
struct conform_place *conform_listen_at(struct conform *conform, const struct backend_endpoint *at,
                                        const struct backend_socket_options *options, int *ret_status);
void conform_unlisten(struct conform_place *place);
/* Begins to connect; what comes of it is told. */
struct conform_end *conform_connect(struct conform *conform, const struct backend_endpoint *to);
/* Waits for the next connection that is accepted at @p place. */
struct conform_end *conform_accept(struct conform_place *place);
/* Two ends that are connected with each other, and told so; neither receives. */
void conform_pair(struct conform *conform, struct conform_end **ret_client, struct conform_end **ret_server);

struct backend_endpoint conform_ip(const char *ip, uint16_t port);

/* -- what a case asks -- */

/* Sends @p length bytes at once. @return how many were taken, BACKEND_LATER, or the error */
int64_t conform_send(struct conform_end *end, size_t length);
/* Sends until nothing more is taken, whatever time passes. @return how much went */
uint64_t conform_fill(struct conform_end *end);
void conform_receive(struct conform_end *end, bool on);
int conform_shutdown(struct conform_end *end);
void conform_close(struct conform_end *end, bool abort);

/* -- what a case expects -- */

/* The next that @p end is told is this. @p value: of CONNECTED and FAILURE, the status; of SENT, 0. */
void conform_told(struct conform_end *end, enum conform_what what, int64_t value);
/* The same, with one of two values. @return which */
int64_t conform_told_one_of(struct conform_end *end, enum conform_what what, int64_t one, int64_t other);
/* Exactly @p length bytes more come. */
void conform_bytes(struct conform_end *end, uint64_t length);
/* Nothing more is told to anybody, by and by. Also checked at the end of each case. */
void conform_quiet(struct conform *conform);
/* Lets pass what happens by itself. */
void conform_settle(struct conform *conform);

/* Lets what happens reach this system, but tells nobody. */
void conform_wait_untold(struct conform *conform);

/* -- the cases of one program -- */

enum {
    CONFORM_SOCKETS = CONFORM_TCP | CONFORM_UNIX,
    CONFORM_EVERYWHERE = CONFORM_SOCKETS | CONFORM_MEMORY,
    CONFORM_AT_ONCE = 8, /* not where sends complete later */
};

struct conform_case {
    const char *name;
    void (*run)(struct conform *conform);
    unsigned where;
};

/* Runs every case on every kind that it names, and prints how many that were on each side. @return as main */
int conform_main(const struct conform_case *cases, size_t count);

#endif
