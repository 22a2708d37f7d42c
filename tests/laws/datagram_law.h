/* SPDX-License-Identifier: MIT */
/*
 * The laws of datagram sockets: a world of law.h without streams, whose sockets record what they are told and check what
 * holds always: no callback runs inside a call into Weft; nothing comes after `lost`, which comes once; after close and
 * abort nothing comes but `lost`; nothing comes while paused.
 */
#ifndef LAWS_DATAGRAM_LAW_H
#define LAWS_DATAGRAM_LAW_H

#include "laws/law.h"

#include <errno.h>
#include <stdio.h>

#include <weft/datagram.h>

#define DLAW_KEPT 512
#define DLAW_TEXT 24

/* What has come. */
struct dlaw_got {
    size_t length;
    char text[DLAW_TEXT];   /* its first bytes */
    weft_datagram datagram; /* its addresses */
    char path[112];
};

struct dlaw_peer {
    weft_datagram_protocol protocol;
    struct law_world *world;
    weft_datagram_socket *socket;
    void (*received)(struct dlaw_peer *peer, const weft_datagram *datagrams, size_t count); /* or NULL */
    void (*drained_hook)(struct dlaw_peer *peer);
    struct dlaw_got got[DLAW_KEPT];
    size_t count; /* of those that came */
    uint64_t bytes;
    unsigned drained, failed, lost;
    int reason, status; /* the last of `failed` */
    weft_address failed_peer;
    bool over, paused;
    char url[WEFT_LISTENER_URL];
};

extern struct dlaw_peer dlaw_server, dlaw_client, dlaw_third;

/* Whether this kind's sockets are UNIX sockets. */
static inline bool dlaw_is_unix(const struct law_world *world)
{
    return strncmp(world->kind->url, "unix", 4) == 0;
}

/* The kind's own place for a socket, in a static buffer of several. */
const char *dlaw_place(struct law_world *world);
/* Opens @p peer at @p url, or connected to it. Returns what the call did. */
int dlaw_try_open(struct law_world *world, struct dlaw_peer *peer, const char *url,
                  const weft_datagram_options *options);
int dlaw_try_open_to(struct law_world *world, struct dlaw_peer *peer, const char *url,
                     const weft_datagram_options *options);
/* The same, which has to go well. */
void dlaw_open(struct law_world *world, struct dlaw_peer *peer, const char *url, const weft_datagram_options *options);
void dlaw_open_to(struct law_world *world, struct dlaw_peer *peer, const char *url,
                  const weft_datagram_options *options);
/* A server at the kind's place, and a client that is connected to it and can be answered. */
void dlaw_pair(struct law_world *world);
/* Sends one of @p length bytes, which begin with @p text. Returns what the call did. */
int dlaw_send(struct dlaw_peer *peer, const char *text, size_t length);
int dlaw_send_to(struct dlaw_peer *peer, const weft_address *to, const char *text);
void dlaw_close(struct dlaw_peer *peer);
void dlaw_abort(struct dlaw_peer *peer);
void dlaw_pause(struct dlaw_peer *peer, bool on);
/* Runs until @p peer has got @p count in all. */
void dlaw_until_got(struct dlaw_peer *peer, size_t count);
void dlaw_until_failed(struct dlaw_peer *peer, unsigned count);
void dlaw_until_lost(struct dlaw_peer *peer);
/* Lets pass what happens by itself, without a timer of the world's. */
void dlaw_settle(struct law_world *world);
/* Frees the loop and checks that each socket was lost; to be called at the end of each law. */
void dlaw_over(struct law_world *world);

#endif
