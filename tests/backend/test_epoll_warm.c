/* SPDX-License-Identifier: MIT */
/*
 * Files that are not in the page cache: the job pool reads them first, and the loop does not wait for the disk.
 *
 * One test drops a real file from the page cache, if the file system lets it. For the others the linker puts the
 * functions below in front of file_is_cached, weft_file_read_cached, file_read and pthread_create (--wrap): every stretch
 * is cold, and is read when the test says so.
 */
#include "laws/law.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend/file.h"
#include "base/realtime.h"
#include "loop/loop_internal.h"

#define LENGTH 2500000
#define STRETCHES 3 /* of 1 MiB, in which it is sent */

static struct {
    bool cold;      /* whatever is asked for is not in the page cache */
    bool gated;     /* whoever begins to read waits at the gate */
    int read_error; /* reading fails with it */
    bool no_threads;
    unsigned asked, found_cold; /* how often the loop wanted to know whether a stretch is cold, and it was */
    atomic_uint reads;          /* how often reading was begun anew: what follows on in one thread is one */
    sem_t begun, gate;
} disk;

static const struct law_hooks quiet = {0};

bool __real_file_is_cached(const weft_file *file, uint64_t offset, uint64_t length);
bool __wrap_file_is_cached(const weft_file *file, uint64_t offset, uint64_t length);
int __real_weft_file_read_cached(weft_file *file, uint64_t offset, void *memory, size_t length);
int __wrap_weft_file_read_cached(weft_file *file, uint64_t offset, void *memory, size_t length);
int __real_file_read(weft_file *file, uint64_t offset, void *memory, size_t length);
int __wrap_file_read(weft_file *file, uint64_t offset, void *memory, size_t length);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *arg);

bool __wrap_file_is_cached(const weft_file *file, uint64_t offset, uint64_t length)
{
    bool cached = !disk.cold && __real_file_is_cached(file, offset, length);

    disk.asked++;
    disk.found_cold += !cached;
    return cached;
}

int __wrap_weft_file_read_cached(weft_file *file, uint64_t offset, void *memory, size_t length)
{
    return disk.cold ? -EAGAIN : __real_weft_file_read_cached(file, offset, memory, length);
}

static _Thread_local uint64_t read_before = UINT64_MAX; /* where this thread's last read ended */

int __wrap_file_read(weft_file *file, uint64_t offset, void *memory, size_t length)
{
    int count;

    if (offset != read_before) {
        atomic_fetch_add(&disk.reads, 1);
        if (disk.gated) {
            sem_post(&disk.begun);
            realtime_look_away(); /* the loop reads by itself what it cannot wait for */
            sem_wait(&disk.gate);
            realtime_look_again();
        }
    }
    count = disk.read_error ? disk.read_error : __real_file_read(file, offset, memory, length);
    read_before = count > 0 ? offset + (uint64_t)count : UINT64_MAX;
    return count;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begin)(void *), void *arg)
{
    return disk.no_threads ? EAGAIN : __real_pthread_create(thread, attributes, begin, arg);
}

/* -- a file with the pattern -- */

static char place[64], path[80];

static weft_file *open_file(void)
{
    weft_directory *directory;
    weft_file *file;

    assert_int_equal(weft_directory_open(place, &directory), 0);
    assert_int_equal(file_open(directory, "f", true, &file), 0);
    weft_directory_unref(directory);
    return file;
}

static void write_pattern(void)
{
    char *bytes = malloc(LENGTH);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (!bytes || fd < 0)
        abort();
    for (size_t i = 0; i < LENGTH; i++)
        bytes[i] = law_pattern(i);
    assert_int_equal(write(fd, bytes, LENGTH), LENGTH);
    free(bytes);
    close(fd);
}

static int make_file(void **state)
{
    strcpy(place, "/tmp/weft-warm-XXXXXX");
    assert_non_null(mkdtemp(place));
    snprintf(path, sizeof path, "%s/f", place);
    write_pattern();
    memset(&disk, 0, sizeof disk);
    disk.cold = true;
    sem_init(&disk.begun, 0, 0);
    sem_init(&disk.gate, 0, 0);
    return support_setup(state);
}

static int remove_file(void **state)
{
    unlink(path);
    rmdir(place);
    sem_destroy(&disk.begun);
    sem_destroy(&disk.gate);
    return support_teardown(state);
}

#define warm_test(function) cmocka_unit_test_setup_teardown(function, make_file, remove_file)

/* Lets so many begin to read. */
static void open_gate(int count)
{
    while (count-- > 0)
        sem_post(&disk.gate);
}

static void close_gate(void)
{
    while (sem_trywait(&disk.gate) == 0 || sem_trywait(&disk.begun) == 0)
        ;
}

/* Sends all of the file, of which the stream holds the only reference. */
static void send_file(struct law_peer *peer)
{
    weft_file *file = open_file();

    assert_int_equal(LAW_CALL(peer->world, weft_stream_write_file(peer->stream, file, 0, LENGTH)), 1);
    peer->bytes_out += LENGTH;
    weft_file_unref(file);
}

/* The two kinds of real streams. */
#define FOR_BOTH(kind) for (const struct law_kind *kind = &law_kinds[0]; kind <= &law_kinds[1]; kind++)
/* And in-memory ones, whose file is read in small pieces. */
#define FOR_ALL(kind) for (const struct law_kind *kind = &law_kinds[0]; kind <= &law_kinds[2]; kind++)

/* Connects, sends the file, and turns until it is being read. */
static void begin(struct law_world *world, const struct law_kind *kind, const struct law_hooks *client)
{
    disk.gated = true;
    close_gate();
    law_world_open(world, kind, 1);
    law_pair(world, &quiet, client, NULL);
    send_file(&world->client[0]);
    law_turns(world, 1);
    sem_wait(&disk.begun);
}

/* -- sending -- */

/* Whether no page of the file is in the page cache. Trying to read, even without waiting, would bring some there. */
static bool is_cold(int fd)
{
    unsigned char pages[LENGTH / 4096 + 1] = {0};
    void *memory = mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, fd, 0);
    unsigned char any = 0;

    assert_true(memory != MAP_FAILED);
    assert_int_equal(mincore(memory, LENGTH, pages), 0);
    munmap(memory, LENGTH);
    for (size_t i = 0; i < sizeof pages; i++)
        any |= pages[i];
    return !(any & 1);
}

/* Returns whether it could be: a file system that is nothing but memory keeps it, and others may for a while. */
static bool drop_from_page_cache(void)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool cold = false;

    assert_true(fd >= 0);
    for (int tries = 0; tries < 100 && !cold; tries++) {
        assert_int_equal(fsync(fd), 0);
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        cold = is_cold(fd);
    }
    close(fd);
    return cold;
}

static void file_that_is_not_in_the_page_cache_arrives(void **state)
{
    (void)state;
    disk.cold = false;
    FOR_BOTH(kind)
    {
        static struct law_world world;

        if (!drop_from_page_cache())
            skip();
        disk.found_cold = 0;
        atomic_store(&disk.reads, 0);
        law_world_open(&world, kind, 1);
        law_pair(&world, &quiet, &quiet, NULL);
        send_file(&world.client[0]);
        law_close(&world.client[0]);
        law_until_lost(&world);
        assert_int_equal(world.server[0].bytes_in, LENGTH);
        assert_int_equal(world.client[0].reason, WEFT_ECLOSED);
        assert_true(atomic_load(&disk.reads) > 0 ||
                    disk.found_cold == 0); /* if the disk was faster than the question */
        law_world_close(&world);
    }
}

/* The page cache may drop what was just read: each stretch is sent all the same. */
static void file_that_never_gets_warm_arrives_in_its_order(void **state)
{
    (void)state;
    FOR_ALL(kind)
    {
        static struct law_world world;
        struct law_peer *client = &world.client[0];

        disk.asked = 0;
        law_world_open(&world, kind, 1);
        law_pair(&world, &quiet, &quiet, NULL);
        send_file(client);
        assert_int_equal(law_write_pattern(client, 1000), 1);
        law_close(client);
        law_until_lost(&world);
        assert_int_equal(world.server[0].bytes_in, LENGTH + 1000);
        assert_int_equal(client->reason, WEFT_ECLOSED);
        assert_true(disk.asked >= STRETCHES);
        law_world_close(&world);
    }
}

static bool five_came(struct law_world *world)
{
    return world->server[1].bytes_in == 5;
}

static bool two_connected(struct law_world *world)
{
    return world->accepted == 2 && world->server[1].connected;
}

static void the_loop_turns_while_the_disk_is_read(void **state)
{
    (void)state;
    FOR_ALL(kind)
    {
        static struct law_world world;

        begin(&world, kind, &quiet);
        law_connect(&world, 1, NULL, &quiet);
        law_until(&world, two_connected);
        assert_int_equal(law_write_pattern(&world.client[1], 5), 0);
        law_until(&world, five_came);
        assert_int_equal(law_write_pattern(&world.server[0], 7), 0); /* and the other way of the same stream */
        law_turns(&world, 10);
        assert_int_equal(world.server[0].bytes_in, 0);
        assert_int_equal(world.client[0].bytes_in, 7);
        open_gate(1000);
        law_close(&world.client[0]);
        law_until_lost(&world);
        assert_int_equal(world.server[0].bytes_in, LENGTH);
        law_world_close(&world);
    }
}

static bool client_drained(struct law_world *world)
{
    return world->client[0].drained == 1;
}

static void drained_comes_when_it_was_read_and_sent(void **state)
{
    static struct law_world world;

    (void)state;
    begin(&world, &law_kinds[0], &quiet);
    law_turns(&world, 5);
    assert_int_equal(world.client[0].drained, 0);
    open_gate(1000);
    law_until(&world, client_drained);
    law_world_close(&world);
}

static void a_file_that_cannot_be_read_ahead_is_sent_all_the_same(void **state)
{
    static struct law_world world;

    (void)state;
    disk.read_error = -EIO;
    law_world_open(&world, &law_kinds[0], 1);
    law_pair(&world, &quiet, &quiet, NULL);
    send_file(&world.client[0]);
    law_close(&world.client[0]);
    law_until_lost(&world);
    assert_int_equal(world.server[0].bytes_in, LENGTH);
    law_world_close(&world);
}

/* -- ending while the disk is read -- */

static void close_while_it_is_read_still_sends_it(void **state)
{
    (void)state;
    FOR_ALL(kind)
    {
        static struct law_world world;

        begin(&world, kind, &quiet);
        law_close(&world.client[0]);
        law_turns(&world, 5);
        assert_int_equal(world.client[0].lost, 0);
        open_gate(1000);
        law_until_lost(&world);
        assert_int_equal(world.server[0].bytes_in, LENGTH);
        assert_int_equal(world.server[0].reason, WEFT_ECLOSED);
        law_world_close(&world);
    }
}

static void abort_while_it_is_read_is_told_at_once(void **state)
{
    (void)state;
    FOR_ALL(kind)
    {
        static struct law_world world;

        begin(&world, kind, &quiet);
        law_abort(&world.client[0]);
        law_until_lost(&world);
        assert_int_equal(world.server[0].bytes_in, 0);
        open_gate(1); /* its memory has another owner now, or none */
        law_connect(&world, 1, NULL, &quiet);
        law_until(&world, two_connected);
        assert_int_equal(law_write_pattern(&world.client[1], 5), 0);
        law_until(&world, five_came);
        open_gate(1000);
        law_turns(&world, 50);
        law_world_close(&world);
        assert_int_equal(atomic_load(&disk.reads), 1);
        atomic_store(&disk.reads, 0);
    }
}

static bool client_lost(struct law_world *world)
{
    return world->client[0].lost;
}

static void a_peer_that_leaves_while_it_is_read_is_noticed(void **state)
{
    static struct law_world world;

    (void)state;
    begin(&world, &law_kinds[0], &quiet);
    law_abort(&world.server[0]);
    law_until(&world, client_lost);
    assert_int_equal(world.client[0].reason, -ECONNRESET);
    open_gate(1);
    law_world_close(&world);
}

static void *let_go(void *arg)
{
    (void)arg;
    open_gate(1000);
    return NULL;
}

/* Threads are waited for: what they use is there until they are done. */
static void the_loop_may_be_freed_while_it_is_read(void **state)
{
    (void)state;
    for (int queued = 0; queued < 3; queued++) {
        static struct law_world world;
        pthread_t thread;

        begin(&world, &law_kinds[0], &quiet);
        if (queued > 0) {
            law_connect(&world, 1, NULL, &quiet);
            law_until(&world, two_connected);
            send_file(&world.client[1]);
            send_file(&world.server[1]);
            law_turns(&world, 1);
        }
        if (queued > 1)
            law_abort(&world.client[0]);
        assert_int_equal(pthread_create(&thread, NULL, let_go, NULL), 0);
        law_world_close(&world);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
}

/* -- a file that changes while it is read -- */

static void a_file_that_shrinks_while_it_is_read_aborts(void **state)
{
    static const off_t lengths[] = {0, 100, 1000000};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        static struct law_world world;

        write_pattern();
        begin(&world, &law_kinds[0], &quiet);
        assert_int_equal(truncate(path, lengths[i]), 0);
        open_gate(1000);
        law_until_lost(&world);
        assert_int_equal(world.client[0].reason, WEFT_ECHANGED);
        assert_int_equal(world.server[0].reason, -ECONNRESET);
        assert_true(world.server[0].bytes_in <= (uint64_t)lengths[i]);
        law_world_close(&world);
    }
}

/* -- what can be missing -- */

static void without_memory_it_is_sent_slowly(void **state)
{
    size_t k = 0, failed;

    (void)state;
    do {
        static struct law_world world;

        k++;
        support_set_context("allocation %zu failed", k);
        atomic_store(&disk.reads, 0);
        law_world_open(&world, &law_kinds[0], 1);
        law_pair(&world, &quiet, &quiet, NULL);
        send_file(&world.client[0]);
        support_fail_at(k, true);
        law_turns(&world, 1);
        failed = support_injected();
        support_fail_at(0, false);
        assert_int_equal(world.client[0].lost, 0);
        law_close(&world.client[0]);
        law_until_lost(&world);
        assert_int_equal(world.server[0].bytes_in, LENGTH);
        law_world_close(&world);
    } while (failed > 0);
    assert_true(k > 3); /* the record, the pool, its thread */
    support_clear_context();
}

static void without_a_thread_it_is_sent_slowly(void **state)
{
    static struct law_world world;

    (void)state;
    disk.no_threads = true;
    law_world_open(&world, &law_kinds[0], 1);
    law_pair(&world, &quiet, &quiet, NULL);
    send_file(&world.client[0]);
    law_close(&world.client[0]);
    law_until_lost(&world);
    assert_int_equal(world.server[0].bytes_in, LENGTH);
    assert_int_equal(atomic_load(&disk.reads), 0);
    law_world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        warm_test(file_that_is_not_in_the_page_cache_arrives),
        warm_test(file_that_never_gets_warm_arrives_in_its_order),
        warm_test(the_loop_turns_while_the_disk_is_read),
        warm_test(drained_comes_when_it_was_read_and_sent),
        warm_test(a_file_that_cannot_be_read_ahead_is_sent_all_the_same),
        warm_test(close_while_it_is_read_still_sends_it),
        warm_test(abort_while_it_is_read_is_told_at_once),
        warm_test(a_peer_that_leaves_while_it_is_read_is_noticed),
        warm_test(the_loop_may_be_freed_while_it_is_read),
        warm_test(a_file_that_shrinks_while_it_is_read_aborts),
        warm_test(without_memory_it_is_sent_slowly),
        warm_test(without_a_thread_it_is_sent_slowly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
