/* SPDX-License-Identifier: MIT */
/*
 * The scenario "http": what its three parts share. A resource says in its path
 * what it is to answer, so that the client knows every byte:
 *
 *     GET  /memory/KEY/LENGTH   in one piece
 *     GET  /stream/KEY/LENGTH   chunked, piece by piece, with a trailer
 *     GET  /sized/KEY/LENGTH    piece by piece, with a Content-Length
 *     GET  /late/KEY/LENGTH     after a while
 *     GET  /file                a file
 *     POST /echo/KEY/LENGTH     what was sent, while it comes
 */
#ifndef CLI_SCENARIO_HTTP_H
#define CLI_SCENARIO_HTTP_H

#include <weft/http_client.h>
#include <weft/http_files.h>

#include "scenario.h"

#define WEB_FILE_KEY 1
#define WEB_FILE_LENGTH 20000 /* more than the server keeps in memory */
#define WEB_LENGTH 131072     /* the longest body that can be asked for: more than a stream queues */
#define WEB_TARGET 64
#define WEB_TRAILER "X-Length"

enum web_kind { WEB_MEMORY, WEB_STREAM, WEB_SIZED, WEB_LATE, WEB_FILE, WEB_ECHO, WEB_KINDS };

/* What is asked for. */
struct web_ask {
    enum web_kind kind;
    uint64_t key;
    size_t length; /* of the response's body */
};

/* Draws something to ask for; @p key is nobody else's. */
struct web_ask web_draw(const struct scenario *scenario, uint64_t key);
/* Its target. Returns its length. */
int web_target(const struct web_ask *ask, char *text, size_t size);
/* What a target asks for; false: nothing that there is. (A file is not the handler's.) */
bool web_parse(weft_bytes target, struct web_ask *ret);
/* Whether a response of @p status says that the server, or the network, had no time or no file for it: then it is asked
 * for again. */
bool web_is_trouble(unsigned status);

/* -- scenario_http_server.c -- */

/* The program: DIRECTORY URL. */
int web_main(int argc, char **argv);
/* The world whose server that is: it is told what is wrong. */
void web_serve_in(weft_sim *sim);

/* -- scenario_http_raw.c: clients that write what they like -- */

struct web_raw;

size_t web_raw_size(void);
int web_raw_begin(struct web_raw *raw, struct scenario *scenario, unsigned number, unsigned exchanges);

/* -- scenario_http_client.c: clients of the family, with a pool -- */

struct web_pool;
struct web_user;

/* @p users of them share a pool. */
int web_pool_begin(struct scenario *scenario, unsigned host, unsigned first, unsigned users, unsigned exchanges);

#endif
