/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A simulated world: hosts on a network, with a clock and disks, in which
 * everything that happens comes from one seed.
 *
 *     weft_sim *world = weft_sim_new(seed);
 *     weft_sim_faults(world, &(weft_faults){.size = sizeof(weft_faults), .latency = {WEFT_MILLISECONDS(1),
 *                     WEFT_MILLISECONDS(80)}, .resets = 200, .short_reads = 500000});
 *     weft_loop *server = weft_sim_host(world, "server.example"), *client = weft_sim_host(world, "client.example");
 *     ... listen on one, connect from the other ...
 *     status = weft_sim_run(world, WEFT_MINUTES(10));
 *
 * Time is virtual: it stands still while code runs, and jumps to the next
 * thing that happens. The same seed, program and build give the same run, byte
 * for byte; weft_sim_hash says so. docs/decisions/0014 says what is simulated
 * and how it was held against a kernel.
 *
 * A program with its own main runs in a world of one host with
 * WEFT_BACKEND=sim:SEED in its environment; WEFT_SIM_FAULTS says with which
 * faults ("all", or such as "short-reads=500000,latency=1ms-80ms"),
 * WEFT_SIM_KEEP which of them to keep ("12,40-44"), WEFT_SIM_VISITORS how many
 * strangers come where it listens, and how many messages they say in all
 * ("20,1000"; WEFT_SIM_SAY what); and on the descriptors in WEFT_SIM_TRACE and
 * WEFT_SIM_REPORT it writes each event, and its hash.
 * weft_sim_program runs several such mains in one world. A world, and all that
 * is in it, belongs to one thread, and to the workers that are started in it,
 * which take turns with it (weft/worker.h). A thread that a program starts in
 * another way is not of its world: a loop that it makes has a world of its own.
 */
#ifndef WEFT_SIM_H
#define WEFT_SIM_H

#include <weft/probe.h>
#include <weft/time.h>

WEFT_BEGIN_DECLS

/** A loop, and a line of its dump (weft/loop.h). */
typedef struct weft_loop weft_loop;
/** Takes a line of a dump; @p text is *borrowed* during the call (weft/loop.h). */
typedef void weft_dump_line(const char *text, void *arg);

/** A simulated world. */
typedef struct weft_sim weft_sim;

/**
 * What may go wrong, and how often: chances per million, each time there is an occasion. All zero is a kind world
 * without delays. Everything but `latency` and `bandwidth` is a fault, which weft_sim_calm ends.
 */
typedef struct weft_faults {
    size_t size;               /**< sizeof(weft_faults) */
    weft_time latency[2];      /**< least and greatest time that bytes travel between two hosts, one way */
    uint64_t bandwidth;        /**< bytes a second in one direction of a link between two hosts; 0: no limit */
    unsigned short_reads;      /**< a delivery brings only a part of what has arrived, often one byte */
    unsigned short_writes;     /**< a send takes only a part */
    unsigned refused_writes;   /**< a send takes nothing at first, though there is room */
    unsigned resets;           /**< a send breaks its connection: each end learns of it after some time */
    unsigned vanishings;       /**< a send makes its connection go silent: nobody is told anything any more */
    unsigned partitions;       /**< a send cuts the link between its hosts, for 10 ms to 60 s */
    unsigned retransmissions;  /**< a send is lost once or more, and arrives late */
    unsigned refusals;         /**< a connection is refused, or its host or network unreachable */
    unsigned connect_timeouts; /**< a connection is never answered */
    unsigned slow_accepts;     /**< a connection waits long before its listener hears of it */
    unsigned missed_accepts;   /**< a connection is gone when it is to be accepted */
    unsigned descriptors;      /**< a connection or file fails with -EMFILE */
    unsigned buffers;          /**< a connection fails with -ENOBUFS */
    unsigned spurious_wakeups; /**< a loop wakes up for nothing */
    unsigned late_timers;      /**< a loop wakes up later than it asked for, by up to 200 ms */
    unsigned clock_jumps;      /**< a host's wall clock jumps, by up to an hour, either way */
    unsigned slow_jobs;        /**< a job takes long, and others overtake it */
    unsigned name_failures;    /**< a name look-up fails */
    unsigned slow_names;       /**< a name look-up answers late */
    unsigned file_errors;      /**< whatever is done with a file or a name of one fails with -EIO */
    unsigned short_file_reads; /**< reading a file gives less than was asked for */
    unsigned slow_files;       /**< a file is not in the page cache: what is done with it takes up to a second */
    unsigned full_disks;       /**< a disk becomes full, at once or soon, for up to a minute: -ENOSPC */
    unsigned failed_syncs;     /**< a sync fails with -EIO, and what was written since the last may never be kept */
    unsigned allocations;      /**< an allocation of a loop in the world fails */
    unsigned rare_paths;       /**< Weft's own code takes one of its rare paths: small buffers, full tables */
    unsigned threads;        /**< a worker cannot be started: -EAGAIN. Nobody draws this: a program without its workers
                                    may well end at once, so whoever wants to see how asks for it */
    unsigned lost_datagrams; /**< a datagram never arrives (UDP only, as the next two) */
    unsigned doubled_datagrams; /**< a datagram arrives twice */
    unsigned late_datagrams;    /**< a datagram arrives up to a second later, after others that were sent after it */
} weft_faults;

/** Makes a world, without hosts and without faults. @return *returned*, the caller frees it with weft_sim_free; NULL if
 *  there is no memory */
WEFT_API WEFT_NODISCARD weft_sim *weft_sim_new(uint64_t seed);
/** Frees the loops of all hosts, which ends all that is on them, and the world. NULL does nothing. */
WEFT_API void weft_sim_free(weft_sim *sim);

/** Sets the faults from now on. @return 0; -EINVAL without a size, or for a chance above a million or latencies out of
 *  order or above 24 hours; -E2BIG if it asks for what this version does not know */
WEFT_API int weft_sim_faults(weft_sim *sim, const weft_faults *faults);
/** Sets faults as the seed draws them: which kinds there are at all, how often each happens, how far the hosts are
 *  apart. Allocations fail only if @p allocations. */
WEFT_API void weft_sim_swarm(weft_sim *sim, bool allocations);
/** Ends the faults that break, refuse or hold up connections, names and files, and the limit on bandwidth. What is left
 *  (short reads and writes, late timers, slow jobs, rare paths) is what nobody may notice but by the clock. */
WEFT_API void weft_sim_gentle(weft_sim *sim);
/** Ends all faults: nothing fails or is cut any more, and what was held up goes on. What has vanished stays silent:
 *  deadlines are there for that. */
WEFT_API void weft_sim_calm(weft_sim *sim);

/**
 * Adds a host with addresses of its own (10.0.0.N and fd00::N, and the loopback addresses) under the name @p name, and
 * makes a loop for it.
 * @param name  copied; what others in the world look up
 * @return *borrowed*, *until* weft_sim_free, weft_sim_crash or weft_sim_kill; weft_loop_free may be called on it
 *         before. NULL if there is no memory
 */
WEFT_API WEFT_NODISCARD weft_loop *weft_sim_host(weft_sim *sim, const char *name);

/**
 * Adds a host that runs @p entry, the main function of a program, on a stack of its own: the loops that it makes
 * without naming a backend are the host's. It begins with the next weft_sim_run. When it returns its workers end, and
 * what it has left open is closed.
 * @param name  copied
 * @param argv  *until* the program has ended; ends with NULL, as main expects
 * @return 0; WEFT_ENOMEM
 */
WEFT_API int weft_sim_program(weft_sim *sim, const char *name, int (*entry)(int argc, char **argv), char **argv);
/** What the program on @p name, the last that was added there, returned. @return its result, 0 to 255; -EINPROGRESS
 *  while it runs; -ENOENT if there is none */
WEFT_API int weft_sim_program_status(const weft_sim *sim, const char *name);

/**
 * Runs all hosts until nothing is left that could happen, @p time of virtual time has passed, or a check failed.
 * Not from a callback of a loop in the world.
 * @return 0: nothing is left; 1: the time has passed, or weft_sim_stop was called; -EPROTO: a check failed
 *         (weft_sim_failure); another negative error of a loop
 */
WEFT_API WEFT_NODISCARD int weft_sim_run(weft_sim *sim, weft_time time);
/** Has weft_sim_run return after the turn that runs now. */
WEFT_API void weft_sim_stop(weft_sim *sim);

/** The virtual time since the world was made. */
WEFT_API weft_time weft_sim_now(const weft_sim *sim);
/** The seed. */
WEFT_API uint64_t weft_sim_seed(const weft_sim *sim);
/** A number below @p bound, drawn from the seed but not from what the world itself draws from: for what a scenario
 *  does. For a bound of 0 it is 0, and nothing is drawn. */
WEFT_API uint64_t weft_sim_draw(weft_sim *sim, uint64_t bound);
/** A hash over everything that was asked of the world and all that it answered, so far. */
WEFT_API uint64_t weft_sim_hash(const weft_sim *sim);

/** Raises signal @p number on the host @p name. @return 0; -ENOENT if there is no such host; -EINVAL for no number of a
 *  signal */
WEFT_API int weft_sim_signal(weft_sim *sim, const char *name, int number);
/** Cuts the link between two hosts, or mends it: what is sent meanwhile arrives after it was mended, if nobody has
 *  given up. @return 0; -ENOENT if there is no such host; WEFT_ENOMEM */
WEFT_API int weft_sim_cut(weft_sim *sim, const char *one, const char *other, bool cut);

/**
 * Has the host @p name lose its power: its loops and programs are gone (their callbacks are told, for their memory's
 * sake, but nothing that they do then leaves the host or gets to its disk), its peers are told nothing, and of what was
 * written and not synced its disk has what the seed leaves. Start it again with weft_sim_host or weft_sim_program:
 * until then nobody answers there; from then on it answers with a reset to whatever comes for a connection from before.
 * Between two weft_sim_run only.
 * @return 0; -ENOENT if there is no such host
 */
WEFT_API int weft_sim_crash(weft_sim *sim, const char *name);
/**
 * Has what runs on the host @p name killed, as SIGKILL does it: its loops and programs are gone (their callbacks are
 * told, for their memory's sake, but nothing that they do then leaves the host or gets to its disk), and the system
 * closes what they had: a peer gets what was sent and then the end, or a reset, if something had come that was not
 * read; who waited to be accepted gets a reset. What was written stays on the disk. Start it again with weft_sim_host
 * or weft_sim_program. Between two weft_sim_run only.
 * @return 0; -ENOENT if there is no such host
 */
WEFT_API int weft_sim_kill(weft_sim *sim, const char *name);

/** Something that must hold whenever a turn of a loop has ended. Embedded in the caller's memory, *until* the world is
 *  freed. */
typedef struct weft_sim_check {
    const char *(*broken)(struct weft_sim_check *check); /**< NULL, or what is wrong: *until* the next call */
    struct weft_sim_check *next;                         /**< private */
} weft_sim_check;
/** Has @p check asked after every turn. One that was added already stays where it is. */
WEFT_API void weft_sim_add_check(weft_sim *sim, weft_sim_check *check);
/** Says that something is wrong: weft_sim_run ends with -EPROTO. The first reason is kept. @p format as for printf */
WEFT_API void weft_sim_fail(weft_sim *sim, const char *format, ...) WEFT_PRINTF(2, 3);
/** Why weft_sim_run ended with -EPROTO. @return *borrowed*, *until* the world is freed; NULL if nothing failed */
WEFT_API const char *weft_sim_failure(const weft_sim *sim);

/** Says what belongs to whom on every loop of the world, as weft_loop_dump does, below a line with its host's name. */
WEFT_API void weft_sim_dump(const weft_sim *sim, weft_dump_line *line, void *arg);

/**
 * How many tasks in the world wait for what nothing can bring any more: for bytes, a deferred, a lock, when nothing is
 * left that could happen (weft_sim_run has returned 0). Those that wait for a connection, or in weft_sleep for ever,
 * are not counted, nor who waits for a scope or for another task: what that waits for counts.
 * @param line  takes a line for each, with its host's name and what it waits for; NULL: nobody does
 * @return 0 as long as something can still happen
 */
WEFT_API size_t weft_sim_stuck(weft_sim *sim, weft_dump_line *line, void *arg);

/** How often the world came by the probe @p name. */
WEFT_API uint64_t weft_sim_reached(const weft_sim *sim, const char *name);

/** One kind of fault, as weft_sim_each_fault tells. */
typedef void weft_sim_fault_line(const char *kind, unsigned per_million, uint64_t occasions, uint64_t fired, void *arg);
/** Tells of each kind of fault how likely it is now and how often it came. */
WEFT_API void weft_sim_each_fault(const weft_sim *sim, weft_sim_fault_line *line, void *arg);
/** What has happened so far. */
typedef struct weft_sim_counts {
    uint64_t turns;       /**< of all loops */
    uint64_t events;      /**< calls and callbacks at the seam: what the hash is made of */
    uint64_t connections; /**< that were asked for */
    uint64_t bytes;       /**< that arrived */
    uint64_t faults;      /**< that fired */
} weft_sim_counts;
/** What has happened so far. */
WEFT_API void weft_sim_count(const weft_sim *sim, weft_sim_counts *ret);

/** Lets only some faults happen: those whose number (they are counted as they fire, from 1) @p keep says. For shrinking
 *  a run that failed. @param keep  NULL: all */
WEFT_API void weft_sim_keep(weft_sim *sim, bool (*keep)(uint64_t number, void *arg), void *arg);
/** Takes a line for each event; @p text is *borrowed* during the call. NULL: no more. */
WEFT_API void weft_sim_trace(weft_sim *sim, void (*line)(const char *text, void *arg), void *arg);

WEFT_END_DECLS

#endif
