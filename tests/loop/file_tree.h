/* SPDX-License-Identifier: MIT */
/*
 * What the tests of files share: a directory that each test gets fresh, with links in it that lead everywhere, and an
 * openat2 that fails when the test says so.
 */
#ifndef LOOP_FILE_TREE_H
#define LOOP_FILE_TREE_H

#include <weft/file_open.h>

#include "backend/file.h"
#include "loop/loop_test.h"

/** What the system is made to say. */
struct file_tree_faults {
    bool nothing_cached; /* an opening that must not wait would have to */
    int error;           /* what the next `times` openings fail with */
    unsigned times;
};

extern struct file_tree_faults faults;
extern char place[64]; /* the directory beneath which is opened */

int file_tree_setup(void **state);
int file_tree_teardown(void **state);

#define file_test(function) cmocka_unit_test_setup_teardown(function, file_tree_setup, file_tree_teardown)

/** The path of @p name in the tree; the last two stay valid. */
const char *in_tree(const char *name);
void write_file(const char *path, const char *text);
weft_directory *open_place(void);
size_t open_descriptors(void);

/** An opening that counts what it is told. */
struct opening {
    weft_file_open open;
    unsigned done;
    int status;
};

void opened(weft_file_open *open, int status);
/** Opens @p path, waiting for the job if there is one. @return the status; a file that was opened is in @p ret */
int open_path(weft_loop *loop, weft_directory *directory, const char *path, weft_file **ret);
/** The status of opening @p path: the same at once and from the pool of threads. */
int status_of(const char *path);

#endif
