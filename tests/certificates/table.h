/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The table of good and bad certificates (make.py, which says what its columns mean), for tests in C.
 */
#ifndef CERTIFICATES_TABLE_H
#define CERTIFICATES_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/bytes.h>

/** One row. */
struct table_row {
    char name[48];
    bool is_client; /**< a client shows it, not a server */
    bool is_good;
    char reason[32]; /**< "-" if it is good */
    char code[48];   /**< what X509_verify_cert says, without X509_V_ERR_; "OK" */
    char host[64];   /**< that the client asked for; "-" for a client's */
    bool has_staple;
};

/** The rows, *until* the next call. @return NULL, and *ret_count 0, if they could not be made: skip the test */
const struct table_row *table_rows(size_t *ret_count);
/** The row of that name; the test fails if there is none. */
const struct table_row *table_row(const char *name);

/** What is in the file @p name of the table's folder and a suffix: ("good", ".pem"), ("good", "-key.pem"),
 *  ("staple-good", ".ocsp"), ("authority", ".pem"). *returned*, the caller frees it with table_file_free; the test fails
 *  if it cannot be read. */
weft_bytes table_file(const char *name, const char *suffix);
/** Frees it. */
void table_file_free(weft_bytes file);

#endif
