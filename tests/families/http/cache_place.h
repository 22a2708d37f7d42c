/* SPDX-License-Identifier: MIT */
/*
 * Files to be kept open between requests, the cache that keeps them, and a server of them: what the tests of
 * http_files_cache share.
 *
 * Times of files are the kernel's, and those of the clock that decides whether a file is young are given by the test
 * or by the simulator, so every file gets a time that suits. The linker puts functions of ours in front of file_open
 * and weft_file_read_cached (--wrap).
 */
#ifndef FAMILIES_HTTP_CACHE_PLACE_H
#define FAMILIES_HTTP_CACHE_PLACE_H

#include "families/http/web.h"

#include <sys/stat.h>

#include <weft/http_files.h>

#include "families/http/http_files.h"

/* 2026-01-01, where the simulator's clock begins, too. */
#define WALL_SECOND INT64_C(1767225600)
#define WALL WEFT_SECONDS(WALL_SECOND)
#define NOW WEFT_SECONDS(100)

struct place_disk {
    unsigned opens;
    bool cold, slow;  /* nothing is in the page cache; every open has to wait */
    unsigned no_room; /* so many opens that may succeed fail with -EMFILE */
};

extern struct place_disk place_disk;

/* -- a place with the folders `root` and `outside`; files get a time long ago -- */

int place_make(void **state);
int place_remove(void **state);

#define place_test(function) cmocka_unit_test_setup_teardown(function, place_make, place_remove)

/* The path of @p name in it; the last two stay. */
const char *place_path(const char *name);
void place_put(const char *name, const char *text);
void place_put_letters(const char *name, size_t length, char letter);
extern const struct timespec place_old;
void place_set_time(const char *name, struct timespec time);
struct timespec place_change_time(const char *name);
/* Writes @p text over what is there and puts the time back. Kernels note changes in steps of some milliseconds: it is
 * done until the time of change has moved. */
void place_overwrite(const char *name, const char *text);

/* What may happen to root/one. */
void place_change_content(void);
void place_rename_over(void);
void place_delete(void);
void place_link_out(void);
/* The file itself is moved out and a link leads to it: its size, inode and content are as they were. */
void place_move_out_and_link(void);
void place_become_folder(void);

/* -- the cache alone -- */

struct fixture {
    struct http_files_cache cache;
    struct http_files_cached found;
    weft_directory *root;
};

void fixture_init(struct fixture *f);
/* Checks that it counted right. */
void fixture_fini(struct fixture *f);
void fixture_keep_at(struct fixture *f, const char *name, weft_time now);
bool fixture_find_at(struct fixture *f, const char *name, weft_time now);
void fixture_keep(struct fixture *f, const char *name);
bool fixture_find(struct fixture *f, const char *name);
void fixture_expect(struct fixture *f, const char *name, const char *content);

/* -- a server -- */

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_WITH(path, field) "GET " path " HTTP/1.1\r\nHost: a\r\n" field "\r\n\r\n"
#define HEAD(path) "HEAD " path " HTTP/1.1\r\nHost: a\r\n\r\n"

extern weft_http_files *site_files;

void site_open(struct web *web);
void site_close(struct web *web);
/* What the server answers to @p request, until the next call. */
const char *site_ask(struct web_client *client, const char *request);
/* Checks the status, and how the answer ends; @p end may be NULL. */
void site_expect(struct web_client *client, const char *request, unsigned status, const char *end);

#endif
