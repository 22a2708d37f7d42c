/* SPDX-License-Identifier: MIT */
/* A world with one host and its disk, over a folder of the system's; and calls of files that are waited for. */
#ifndef TESTS_SIM_DISK_KIT_H
#define TESTS_SIM_DISK_KIT_H

#include "support/support.h"

#include <weft/file_write.h>
#include <weft/loop.h>
#include <weft/sim.h>

extern char place[64];            /* the folder: a.txt with "the system's", b.txt with "other" */
extern weft_directory *directory; /* the same, as the host has it */
extern weft_sim *sim;
extern weft_loop *host; /* host.example */

int disk_setup(void **state);
int disk_teardown(void **state);
#define disk_test(function) cmocka_unit_test_setup_teardown(function, disk_setup, disk_teardown)

/* Makes the world, with @p faults unless they are NULL; ends it. */
void begin(uint64_t seed, const weft_faults *faults);
void end(void);
#define ROOT weft_loop_scope(host)

/* The last call. */
extern struct disk_call {
    weft_file_call call;
    unsigned done;
    int status;
} now;
void told(weft_file_call *call, int status);
/* Runs the world until the call is over that was begun, with @p status. */
int result(int status);

int create(const char *path, unsigned flags, weft_file **ret);
int put(weft_file *file, uint64_t offset, const char *text);
int sync_file(weft_file *file);
int rename_file(const char *from, const char *to);
int remove_file(const char *path);
int make_directory(const char *path);
int sync_directory(const char *path);
/* Makes @p path anew, with @p text. */
void put_whole(const char *path, const char *text, bool sync);
/* Opens it for reading, as a server does. */
int open_path(const char *path, weft_file **ret);
/* What is in @p path; NULL: there is no such file. */
const char *content(const char *path);
/* Whether the system has @p name, and in a.txt @p expected. */
void assert_real(const char *name, const char *expected);

#endif
