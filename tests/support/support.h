/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The test kit: an allocator that counts and fails, a log in which nothing
 * unexpected may appear, input in every division, and torture.
 *
 * A test declared with `support_test(name)` starts with all of it installed
 * and fails if it leaves an allocation behind or if a warning or an error was
 * logged that it did not expect.
 */
#ifndef SUPPORT_SUPPORT_H
#define SUPPORT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <weft/bytes.h>

/** A test for a `struct CMUnitTest` table, between support_setup and support_teardown. */
#define support_test(function) cmocka_unit_test_setup_teardown(function, support_setup, support_teardown)

/** Installs the allocator and the log sink. For a fixture of your own: call it first. @return 0 */
int support_setup(void **state);
/** Checks that all is clean and puts allocator and sink back. Call it last. @return 0 */
int support_teardown(void **state);
/**
 * Fails the test if anything is allocated, if a warning or an error was logged that was not expected, or if one that
 * was expected was not logged. Forgets the log and the expectations.
 */
void support_check_clean(void);

/* The allocator. All counts are of weft_allocate and its like, in all threads. */

/** Makes this process's allocator one that counts, and sets the counts to 0. */
void support_allocator_install(void);
/** Puts the default allocator back. */
void support_allocator_remove(void);
/**
 * Makes the @p k-th allocation from now fail (1 is the next), and if @p forever all that follow too. 0: none fails.
 * A reallocation counts as an allocation.
 */
void support_fail_at(size_t k, bool forever);
/** How many allocations were made to fail since support_fail_at was called. */
size_t support_injected(void);
/** How many allocations were tried since the allocator was installed. */
size_t support_allocations(void);
/** How many are not released. */
size_t support_live(void);
/** How many bytes these have. */
size_t support_live_bytes(void);

/* The log. Events are recorded as "warning: subject: text name=value name=text", values unescaped. */

/** Makes the log record events of every level. */
void support_log_install(void);
/** Puts the built-in sink and the default threshold back. */
void support_log_remove(void);
/** Says, before or after the fact, that one or more warnings or errors that contain @p substring are logged. */
void support_log_expect(const char *substring);
/** How many events of any level that contain @p substring were logged. */
size_t support_log_count(const char *substring);

/**
 * Which backend a test takes that wants sockets of the system and not a certain one: the environment's WEFT_TEST_ENGINE,
 * in the words of weft_loop_options.backend, or "epoll".
 */
const char *support_engine(void);

/* Input in every division. */

/** Takes the pieces of one input, in order. The pieces are *borrowed*, and each is a block of its own. */
typedef void support_feed(void *arg, const weft_bytes *pieces, size_t count);

/**
 * Calls @p feed with @p bytes in one piece, in pieces of one byte, and divided at random in 20 ways. No piece is empty.
 *
 * The seed of a random division that fails is printed by support_teardown; the environment's WEFT_TEST_SEED replaces
 * the first of them.
 */
void support_three_ways(weft_bytes bytes, support_feed *feed, void *arg);

/* Torture. */

/**
 * Calls @p scenario with its k-th allocation failing, for k = 1, 2, ..., until it completes without a failure; then
 * the same with the k-th and all later ones failing. The test fails if a run leaves an allocation behind, or if the
 * scenario allocates nothing. Prints how many points there were; support_teardown prints the one that failed.
 *
 * The scenario checks its own results: it succeeds if support_injected() is 0, and otherwise what failed said so.
 * @return how many allocations the undisturbed scenario makes
 */
size_t support_torture(void (*scenario)(void *arg), void *arg);

/** Says what is being tried (a seed, a step): support_teardown prints it if the test ends before it is cleared. */
void support_set_context(const char *format, ...) WEFT_PRINTF(1, 2);
/** Says that it went well. */
void support_clear_context(void);

#endif
