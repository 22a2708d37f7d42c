/* SPDX-License-Identifier: MIT */
/*
 * The laws are written once and hold on every backend. A law is a function that gets a world: a loop with a listener
 * and connections to it, whose ends record what they are told and check what holds always:
 *
 *   - no callback runs inside a call into Weft (LAW_CALL, LAW_DO);
 *   - `connected` comes first and once, `lost` last and once;
 *   - after close and abort nothing comes but `lost`;
 *   - bytes arrive in order and unchanged (law_pattern);
 *   - when the loop is gone, every end was told that it was lost, and no descriptor and no allocation is left.
 */
#ifndef LAWS_LAW_H
#define LAWS_LAW_H

#include "support/loopback.h"
#include "support/support.h"

#include <weft/listener.h>

#include "backend/backend.h"

struct law_world;
struct law_peer;

/* A loop of somebody else's, which runs ours. */
struct law_host {
    void (*open)(weft_loop *loop, void (*stopped)(weft_loop *loop, void *arg), void *arg);
    void (*turn)(bool may_sleep); /* one of its turns */
    void (*detach)(void);         /* it goes on without ours */
    void (*close)(void);
    /* What its users use it for (tests/adapters/test_hosting.c): a timer that fires once, and a descriptor that is told
     * as long as it can be read; both until close. */
    void (*timer)(unsigned milliseconds, void (*fired)(void));
    void (*watch)(int fd, void (*readable)(void));
};

/* Where laws hold. */
struct law_kind {
    const char *name;
    const struct law_host *host; /* NULL: the loop runs by itself */
    const char *backend;         /* "%" stands for the seed */
    const char *url;             /* "%" stands for something that only this process uses */
    bool simulated;
    bool faulty;      /* splits and latency */
    bool rare;        /* and what no real backend of today does: sends complete later, with buffers of all sizes */
    bool tells_reset; /* a peer can tell an abort from an end */
    bool is_mem;
    bool completes; /* sends complete later */
    bool apart;     /* a handshake that the one side has ended may fail on the other */
    /* What lies between streams and their transport: put there for a listener, and for one that connects. Or NULL. */
    void (*layer_listener)(weft_listener *listener);
    void (*layer_client)(weft_stream *stream);
};

/* What a test wants to do in an end's callbacks. Any may be NULL; without `ended` the protocol has no such callback. */
struct law_hooks {
    void (*connected)(struct law_peer *peer);
    size_t (*received)(struct law_peer *peer, weft_bytes in); /* default: checks the pattern, consumes all */
    void (*ended)(struct law_peer *peer);
    void (*drained)(struct law_peer *peer);
    void (*deadline)(struct law_peer *peer);
    void (*draining)(struct law_peer *peer);
    void (*lost)(struct law_peer *peer);
};

/* One end of a connection. */
struct law_peer {
    weft_protocol protocol;
    struct law_world *world;
    const struct law_hooks *hooks;
    weft_stream *stream; /* NULL before it is made and after it is lost */
    unsigned connected, received, ended, drained, deadline, draining, lost;
    int reason;
    weft_time lost_at;
    uint64_t bytes_in;  /* consumed */
    uint64_t bytes_out; /* written with law_write_pattern */
    uint64_t to_send;   /* law_pump goes on until so many are written */
    bool over;          /* closed or aborted by the test: only `lost` may follow */
    bool given_away;    /* another protocol has taken its place: nothing may follow */
    uint64_t number;    /* for the hash */
};

#define LAW_SERVERS 16

struct law_world {
    const struct law_kind *kind;
    uint64_t seed;
    weft_loop *loop;
    weft_scope *scope;
    weft_factory factory;
    weft_listener *listener;
    char url[WEFT_LISTENER_URL];
    const struct law_hooks *server_hooks;
    struct law_peer server[LAW_SERVERS]; /* in the order in which they were accepted */
    size_t accepted;
    void (*build)(struct law_peer *peer); /* called in the factory's build */
    struct law_peer client[LAW_SERVERS];
    unsigned stopped;
    size_t drained, aborted;
    unsigned calling; /* a call into Weft is under way */
    uint64_t hash;    /* of all callbacks */
    uint64_t turns, turn_limit;
    bool (*done)(struct law_world *world);
    bool reached, host_stopped;
    bool jumps; /* a real backend's clock is `now`, and passes when nothing else is to be done */
    weft_time now;
    struct support_loopback loopback; /* if it jumps */
    const struct backend_ops *real;
    struct backend_ops shim;
};

/* Calls into Weft, in which no callback may run: one with a result, and one without. */
#define LAW_CALL(world, expression)         \
    __extension__({                         \
        (world)->calling++;                 \
        __auto_type result_ = (expression); \
        (world)->calling--;                 \
        result_;                            \
    })
#define LAW_DO(world, expression) \
    do {                          \
        (world)->calling++;       \
        (expression);             \
        (world)->calling--;       \
    } while (0)

/* -- a world -- */

void law_world_open(struct law_world *world, const struct law_kind *kind, uint64_t seed);
/* Frees the loop, if the test has not, and checks that every end was lost. */
void law_world_close(struct law_world *world);
void law_listen(struct law_world *world, const weft_listen_options *options, const struct law_hooks *hooks);
/* Gives world->listener, which was made just now, the layers of its kind. */
void law_layer(struct law_world *world);
/* The same for a stream that connects. */
void law_layer_client(struct law_peer *peer);
/* Connects client[@p index]. */
void law_connect(struct law_world *world, size_t index, const weft_stream_options *options,
                 const struct law_hooks *hooks);
/* Listens, connects client[0] and runs until both ends are connected. */
void law_pair(struct law_world *world, const struct law_hooks *server, const struct law_hooks *client,
              const weft_stream_options *options);
void law_peer_init(struct law_peer *peer, struct law_world *world, const struct law_hooks *hooks);

/* Runs until @p done says so; the test fails if it does not within a bounded number of turns. */
void law_until(struct law_world *world, bool (*done)(struct law_world *world));
/* Runs until client[0] and server[0] are lost. */
void law_until_lost(struct law_world *world);
/* Runs @p turns turns without waiting (the simulator's clock stands still). */
void law_turns(struct law_world *world, unsigned turns);
/* Runs for @p time of virtual time (in the simulator, or with LAW_JUMPS). */
void law_pass(struct law_world *world, weft_time time);

/* -- an end -- */

char law_pattern(uint64_t position);
/* Checks that @p in goes on where the pattern was, and counts it. */
void law_check_pattern(struct law_peer *peer, weft_bytes in);
/* Writes the next @p length bytes of the pattern. @return as weft_stream_write */
int law_write_pattern(struct law_peer *peer, size_t length);
/* Writes until @p peer has written to_send bytes or is told to stop. For `connected` and `drained`. */
void law_pump(struct law_peer *peer);
void law_close(struct law_peer *peer);
void law_abort(struct law_peer *peer);
void law_end(struct law_peer *peer);
/* A callback that does nothing: a hook for `ended` that keeps the stream open. */
void law_ignore(struct law_peer *peer);

/* How many descriptors this process has open. */
size_t law_descriptors(void);

/* -- the laws of one file -- */

enum {
    LAW_REAL = 1,
    LAW_MEMORY = 2,
    LAW_SIM = 4,
    LAW_FAULTS = 8,
    LAW_EVERYWHERE = 15,
    LAW_JUMPS = 16, /* time passes by itself, on a real backend too */
    /* Why a law is tried on epoll or on the simulator alone: law.c has the sentences. */
    LAW_WHY_PROCESS = 32,
    LAW_WHY_DESCRIPTOR = 64,
    LAW_WHY_SILENCE = 128,
    LAW_AT_ONCE = 256,  /* not on an engine whose sends complete later: what the shim of a send sees differs */
    LAW_TOGETHER = 512, /* not where one side may be connected before the other, and never be */
    LAW_WHYS = LAW_WHY_PROCESS | LAW_WHY_DESCRIPTOR | LAW_WHY_SILENCE,
};

struct law {
    const char *name;
    void (*run)(struct law_world *world);
    unsigned where;
};

/* Runs every law on every kind of backend that it names, and says how many that were on each. One that is left out on
 * a backend without a reason is a failure. @return what main returns */
int law_main(const struct law *laws, size_t count);
/* The kinds, for tests that go their own way; ends with one without a name. */
extern const struct law_kind law_kinds[];

#endif
