/* SPDX-License-Identifier: MIT */
/* A folder that is served over TCP, and a client of it, in one thread: what the tests of attacks share. */
#ifndef ATTACKS_SITE_H
#define ATTACKS_SITE_H

#include "support/support.h"

#include <weft/http_files.h>

struct site {
    char place[64]; /* the folder, which is new */
    weft_loop *loop;
    weft_directory *directory;
    weft_http_files *files;
    weft_http_server *server;
    weft_listener *listener;
};

/** What a connection gave until it ended. */
struct site_answer {
    char *data; /* freed by the caller; NUL-terminated */
    size_t length;
    int end; /* 0: the peer closed it; or the errno value */
};

void site_open(struct site *site);
/** Stops, frees all and removes the folder. */
void site_close(struct site *site);
/** Writes a file of @p length bytes, each of which follows from its offset. */
void site_write(const struct site *site, const char *name, size_t length);
char site_byte(size_t offset);
/** Sends @p request on a connection of its own and reads until that ends. */
struct site_answer site_ask(struct site *site, const char *request);
/** The body of an answer whose head is whole; its length in @p ret_length. */
const char *site_body(const struct site_answer *answer, size_t *ret_length);
size_t site_descriptors(void);

#endif
