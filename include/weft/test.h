/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Testing a protocol: without sockets, without sleeping, against a peer that
 * says what the test says, in the pieces that the test wants. A library of its
 * own: link weft-test.
 *
 *     weft_test *test = weft_test_begin(1);
 *     weft_test_peer *peer = weft_test_pair(test, &protocol);
 *
 *     weft_test_chunks(test, WEFT_CHUNKS_BYTES);
 *     weft_test_send(peer, "hello\n");
 *     weft_test_expect(peer, "HELLO\n");
 *     return weft_test_end(test);
 *
 * The code under test runs on weft_test_loop, in a simulated world (weft/sim.h)
 * whose clock jumps. Whatever is not as expected is told on standard error,
 * with its place, and counted; so is each error or warning in the log that was
 * not expected, and whatever is left at the end. After the first failure of a
 * peer its further calls do nothing. It works within any framework of tests.
 */
#ifndef WEFT_TEST_H
#define WEFT_TEST_H

#include <weft/failure.h>
#include <weft/listener.h>
#include <weft/loop.h>
#include <weft/sim.h>

WEFT_BEGIN_DECLS

/** A test. There is one at a time: it watches the process's log. */
typedef struct weft_test weft_test;
/** The other side of a connection, played by the test. *until* the test ends. */
typedef struct weft_test_peer weft_test_peer;

/** @name The test
 * @{ */
/** Begins a test. @return *returned*, the caller ends it with weft_test_end; NULL if there is no memory */
WEFT_API WEFT_NODISCARD weft_test *weft_test_begin(uint64_t seed);
/**
 * Closes all peers, lets 10 s pass, and checks that nothing is left on the loop (a stream, a listener, a timer: code
 * under test that was not told to stop it has it still) and that the log was as expected. Frees the loop.
 * @return how many things were wrong in all, 0 to 255: what main may return. NULL gives 1
 */
WEFT_API int weft_test_end(weft_test *test);
/** The loop of the code under test. @return *borrowed*, *until* the test ends */
WEFT_API weft_loop *weft_test_loop(const weft_test *test);
/** The root scope of that loop. @return *borrowed*, *until* the test ends */
WEFT_API weft_scope *weft_test_scope(const weft_test *test);
/** The world, for faults, signals and hosts of one's own. @return *borrowed*, *until* the test ends */
WEFT_API weft_sim *weft_test_world(const weft_test *test);
/** Lets @p time of virtual time pass, and everything happen that happens within it; 0: what can happen now. */
WEFT_API void weft_test_pass(weft_test *test, weft_time time);
/** One error or warning whose text contains @p text will come; it is a failure if it does not. @param text  copied */
WEFT_API void weft_test_expect_log(weft_test *test, const char *text);
/** Counts a failure and tells of it. @p format as for printf */
#define weft_test_fail(test, ...) weft_test_fail_at((test), __FILE__, __LINE__, __VA_ARGS__)
/** The function beneath. @param file  *until* the call returns */
WEFT_API void weft_test_fail_at(weft_test *test, const char *file, int line, const char *format, ...) WEFT_PRINTF(4, 5);
/** How many things were wrong so far. */
WEFT_API unsigned weft_test_failures(const weft_test *test);
/** @} */

/** @name Peers
 * @{ */
/** Gives @p protocol, of the code under test, a stream, and its other end to the test. @param protocol  *borrowed*
 *  until its `lost` was called. @return *borrowed*; NULL if there is no memory, which is a failure and does no harm
 *  below */
WEFT_API weft_test_peer *weft_test_pair(weft_test *test, weft_protocol *protocol);
/** A peer that connects to where the code under test listens, which may be any URL that weft_listen takes under the
 *  simulator ("mem://x", "tcp://127.0.0.1:7"). @return *borrowed*, as weft_test_pair */
WEFT_API weft_test_peer *weft_test_connect(weft_test *test, const char *url);
/** A peer that waits at @p url for the code under test to connect. @return *borrowed*, as weft_test_pair */
WEFT_API weft_test_peer *weft_test_accept(weft_test *test, const char *url);

/** In which pieces what peers send arrives. */
typedef enum weft_chunks {
    WEFT_CHUNKS_WHOLE, /**< as it was sent (the default) */
    WEFT_CHUNKS_BYTES, /**< byte by byte */
    WEFT_CHUNKS_RANDOM /**< split at random places, which the seed says */
} weft_chunks;
/** Chooses the pieces for what is sent from now on. */
WEFT_API void weft_test_chunks(weft_test *test, weft_chunks chunks);

/** Sends @p text, each piece for itself: what can happen at once has happened when it returns. @param text  ends with
 *  NUL, which is not sent */
#define weft_test_send(peer, text) weft_test_send_at((peer), weft_bytes_from(text), __FILE__, __LINE__)
/** The same for a weft_bytes. */
#define weft_test_send_bytes(peer, bytes) weft_test_send_at((peer), (bytes), __FILE__, __LINE__)
/** Expects @p text next, and waits for it, at most 5 minutes of virtual time. */
#define weft_test_expect(peer, text) weft_test_expect_at((peer), weft_bytes_from(text), __FILE__, __LINE__)
/** The same for a weft_bytes. */
#define weft_test_expect_bytes(peer, bytes) weft_test_expect_at((peer), (bytes), __FILE__, __LINE__)
/** Expects the end of the other side's bytes, waiting as above. */
#define weft_test_expect_end(peer) weft_test_expect_end_at((peer), __FILE__, __LINE__)
/** Expects the connection to be reset, waiting as above. */
#define weft_test_expect_reset(peer) weft_test_expect_reset_at((peer), __FILE__, __LINE__)
/** Expects neither bytes nor an end for @p time of virtual time. */
#define weft_test_expect_nothing(peer, time) weft_test_expect_nothing_at((peer), (time), __FILE__, __LINE__)
/** What came and was not expected yet. @return *borrowed*, *until* the next call with this peer */
WEFT_API weft_bytes weft_test_received(const weft_test_peer *peer);
/** Ends the peer's own direction; it can still receive. */
WEFT_API void weft_test_half_close(weft_test_peer *peer);
/** Closes the peer's end: what it sent arrives, and then the end. */
WEFT_API void weft_test_close(weft_test_peer *peer);
/** Resets the connection. */
WEFT_API void weft_test_reset(weft_test_peer *peer);
/** Stops reading, or goes on: a peer that is too slow. */
WEFT_API void weft_test_pause(weft_test_peer *peer, bool pause);

/**
 * Plays a dialogue, line by line:
 *
 *     # a comment
 *     expect "220 ready\r\n"
 *     send "QUIT\r\n"
 *     chunks bytes
 *     wait 30s
 *     expect nothing 5s
 *     expect end
 *     expect reset
 *     half-close
 *     close
 *     reset
 *     pause
 *     resume
 *
 * Texts have C's escapes (\\r \\n \\t \\0 \\\\ \\" \\xNN); times end in ms, s, m or h. A line that cannot be understood
 * is a failure.
 * @param name  what failures are told of, beside the number of the line: the file's name
 */
WEFT_API void weft_test_play(weft_test_peer *peer, const char *name, const char *script);

/** The functions beneath the macros. @param file  *until* the call returns */
WEFT_API void weft_test_send_at(weft_test_peer *peer, weft_bytes bytes, const char *file, int line);
/** See weft_test_expect. @param file  *until* the call returns */
WEFT_API void weft_test_expect_at(weft_test_peer *peer, weft_bytes bytes, const char *file, int line);
/** See weft_test_expect_end. @param file  *until* the call returns */
WEFT_API void weft_test_expect_end_at(weft_test_peer *peer, const char *file, int line);
/** See weft_test_expect_reset. @param file  *until* the call returns */
WEFT_API void weft_test_expect_reset_at(weft_test_peer *peer, const char *file, int line);
/** See weft_test_expect_nothing. @param file  *until* the call returns */
WEFT_API void weft_test_expect_nothing_at(weft_test_peer *peer, weft_time time, const char *file, int line);
/** @} */

WEFT_END_DECLS

#endif
