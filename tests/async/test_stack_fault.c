/* SPDX-License-Identifier: MIT */
/*
 * Each case ends a child process, and looks at what it wrote and how it ended. No pool is made in this process itself,
 * so that each child installs the handler anew.
 */
#include "async/stack_pool.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/thread.h"
#include "support/support.h"

#if defined(CONTEXT_ASAN) || defined(CONTEXT_TSAN)
#define SANITIZER 1
#else
#define SANITIZER 0
#endif
#define LARGE_FRAME 14000

struct end {
    int status;
    char text[4096]; /* the beginning of what it wrote to standard error */
};

static struct end run_in_child(void (*run)(void))
{
    struct end end = {0};
    int ends[2];
    size_t length = 0;
    ssize_t count;
    char rest[512];
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL); /* cmocka handles it, and a sanitizer */
        signal(SIGBUS, SIG_DFL);
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        run();
        _exit(0);
    }
    close(ends[1]);
    while (length < sizeof end.text - 1 && (count = read(ends[0], end.text + length, sizeof end.text - 1 - length)) > 0)
        length += (size_t)count;
    while (read(ends[0], rest, sizeof rest) > 0)
        ;
    close(ends[0]);
    assert_int_equal(waitpid(child, &end.status, 0), child);
    return end;
}

static void check_ended_by(struct end end, int number)
{
    assert_true(WIFSIGNALED(end.status) && WTERMSIG(end.status) == number);
}

/* That it wrote this line and nothing else: but AddressSanitizer begins with a word about swapcontext. */
static void check_wrote(struct end end, const char *line)
{
    const char *text = end.text;

    if (strncmp(text, "==", 2) == 0 && strstr(text, "WARNING: ASan doesn't fully support makecontext/swapcontext"))
        text = strchr(text, '\n') + 1;
    assert_string_equal(text, line);
}

/* -- what the children do -- */

static struct context thread, deep;
static const char *name;
static size_t size = 64 * 1024;
static bool large_frames;

static volatile unsigned deepest = 1000000;

/* Uses all of the stack there is, and more. */
static unsigned __attribute__((noinline)) descend_slowly(unsigned depth)
{
    volatile char room[200];

    memset((void *)room, (int)depth, sizeof room);
    return depth < deepest ? descend_slowly(depth + 1) + (unsigned)room[depth % sizeof room] : 0;
}

/* The same with frames that are larger than the guard, and are written to from their high end. */
static unsigned __attribute__((noinline)) descend(unsigned depth)
{
    volatile char room[16384];

    for (size_t i = 0; i < LARGE_FRAME; i++)
        room[sizeof room - 1 - i] = (char)depth;
    return depth < deepest ? descend(depth + 1) + (unsigned)room[sizeof room - 1] : 0;
}

static void overflow(void *arg)
{
    (void)arg;
    (void)(large_frames ? descend(0) : descend_slowly(0));
    context_leave(&deep, &thread);
}

static void run_overflow(void)
{
    struct stack_pool *pool;
    struct stack stacks[4];

    if (stack_pool_new(&pool) < 0)
        _exit(1);
    for (int i = 0; i < 4; i++)
        if (stack_pool_take(pool, size, &stacks[i]) < 0)
            _exit(1);
    stack_set_name(&stacks[1], "below");
    stack_set_name(&stacks[2], name);
    context_make(&deep, stacks[2].low, stacks[2].size, overflow, NULL);
    context_switch(&thread, &deep);
}

static void overflow_with_guards_that_are_mappings(void)
{
    stack_guard_by_mapping(true);
    run_overflow();
}

static void run_in_worker(void *arg)
{
    (void)arg;
    run_overflow();
}

static void overflow_in_a_worker(void)
{
    struct thread *worker;

    if (thread_start(NULL, &worker, run_in_worker, NULL) < 0)
        _exit(1);
    thread_join(NULL, worker);
}

/* -- */

static void overflow_names_the_task_and_ends_the_process(void **state) /* EL-14 */
{
    struct end end;

    (void)state;
    name = "reader";
    size = 64 * 1024;
    end = run_in_child(run_overflow);
    check_wrote(end, "weft: the stack of task \"reader\" overflowed (65536 bytes; ask for more when it is spawned)\n");
    check_ended_by(end, SIGSEGV);
}

static void overflow_is_found_with_guards_that_are_mappings(void **state)
{
    struct end end;

    (void)state;
    name = "reader";
    size = 128 * 1024;
    end = run_in_child(overflow_with_guards_that_are_mappings);
    check_wrote(end, "weft: the stack of task \"reader\" overflowed (131072 bytes; ask for more when it is spawned)\n");
    check_ended_by(end, SIGSEGV);
}

static void overflow_in_a_thread_that_blocks_all_signals_is_reported(void **state)
{
    struct end end;

    (void)state;
    name = "worker's";
    size = 64 * 1024;
    end = run_in_child(overflow_in_a_worker);
    check_wrote(end,
                "weft: the stack of task \"worker's\" overflowed (65536 bytes; ask for more when it is spawned)\n");
    check_ended_by(end, SIGSEGV);
}

static void overflow_by_frames_larger_than_the_guard_is_reported(void **state)
{
    struct end end;

    (void)state;
    name = "large";
    size = 256 * 1024;
    large_frames = true;
    end = run_in_child(run_overflow);
    large_frames = false;
    check_wrote(end, "weft: the stack of task \"large\" overflowed (262144 bytes; ask for more when it is spawned)\n");
    check_ended_by(end, SIGSEGV);
}

static void name_is_optional_bounded_and_harmless(void **state)
{
    char expected[256], given[200], shown[101];
    struct end end;

    (void)state;
    size = 64 * 1024;
    name = NULL;
    end = run_in_child(run_overflow);
    check_wrote(end, "weft: the stack of a task overflowed (65536 bytes; ask for more when it is spawned)\n");
    memset(given, 'n', sizeof given);
    given[0] = '\n';
    given[1] = 27;
    given[2] = 127;
    given[sizeof given - 1] = '\0';
    memset(shown, 'n', 100);
    memset(shown, '?', 3);
    shown[100] = '\0';
    name = given;
    end = run_in_child(run_overflow);
    snprintf(expected, sizeof expected,
             "weft: the stack of task \"%s\" overflowed (65536 bytes; ask for more when it is spawned)\n", shown);
    check_wrote(end, expected);
}

/* -- what is no overflow -- */

static char *guard_of(struct stack *stack)
{
    struct stack_pool *pool;

    if (stack_pool_new(&pool) < 0 || stack_pool_take(pool, 0, stack) < 0)
        _exit(1);
    stack_set_name(stack, "innocent");
    return stack->low - 1;
}

static void read_a_guard_from_outside(void)
{
    struct stack stack;

    _exit(*(volatile char *)guard_of(&stack));
}

static void write_to_the_lowest_byte_of_a_guard(void)
{
    struct stack stack;

    *(volatile char *)(guard_of(&stack) + 1 - stack_page()) = 1;
}

static void guard_faults_and_is_no_overflow_if_the_stack_is_not_in_use(void **state)
{
    struct end end;

    (void)state;
    end = run_in_child(read_a_guard_from_outside);
    check_wrote(end, "");
    check_ended_by(end, SIGSEGV);
    end = run_in_child(write_to_the_lowest_byte_of_a_guard);
    check_wrote(end, "");
    check_ended_by(end, SIGSEGV);
}

static void send_the_signal(void)
{
    struct stack stack;

    guard_of(&stack);
    raise(SIGSEGV);
}

static void signal_that_was_sent_ends_the_process_without_a_word(void **state)
{
    struct end end = run_in_child(send_the_signal);

    (void)state;
    check_wrote(end, "");
    check_ended_by(end, SIGSEGV);
}

static void own_handler(int number)
{
    _exit(number == SIGSEGV ? 42 : 1);
}

static void install_own_handler(void)
{
    struct sigaction action = {.sa_handler = own_handler, .sa_flags = SA_ONSTACK};

    if (sigaction(SIGSEGV, &action, NULL) < 0)
        _exit(1);
}

static void overflow_with_a_handler_that_was_there(void)
{
    install_own_handler();
    run_overflow();
}

static void overflow_with_a_handler_that_came_later(void)
{
    struct stack stack;

    guard_of(&stack);
    install_own_handler();
    run_overflow();
}

static void handler_of_the_program_is_left_alone(void **state)
{
    struct end end;

    (void)state;
    name = "reader";
    /* With a sanitizer a handler that is there is taken for the sanitizer's, and gets the signal second. */
    end = run_in_child(overflow_with_a_handler_that_was_there);
    if (!SANITIZER)
        check_wrote(end, "");
    assert_true(WIFEXITED(end.status) && WEXITSTATUS(end.status) == 42);
    end = run_in_child(overflow_with_a_handler_that_came_later);
    check_wrote(end, "");
    assert_true(WIFEXITED(end.status) && WEXITSTATUS(end.status) == 42);
}

/* -- the rest of what the seam promises -- */

static void more_slabs_than_are_watched_do_no_harm(void **state)
{
    static char place[64 * 1024];
    int numbers[5000], refused = 0;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        numbers[i] = stack_fault_watch(place, sizeof place, 1);
        refused += numbers[i] < 0;
    }
    assert_int_equal(refused, 5000 - 4096);
    for (int i = 0; i < 5000; i++)
        stack_fault_forget(numbers[i]);
    assert_true(stack_fault_watch(place, sizeof place, 1) >= 0);
}

static void prepare_and_end(void *arg)
{
    stack_t *seen = arg;

    stack_fault_prepare();
    stack_fault_prepare();
    sigaltstack(NULL, seen);
}

static void prepare_in_a_thread(void)
{
    struct thread *worker;
    stack_t seen = {.ss_flags = SS_DISABLE};
    unsigned char map;

    if (thread_start(NULL, &worker, prepare_and_end, &seen) < 0)
        _exit(1);
    thread_join(NULL, worker);
    if (seen.ss_flags & SS_DISABLE)
        _exit(1);
    _exit(mincore(seen.ss_sp, 1, &map) == 0 ? 2 : 42);
}

static void alternative_stack_lives_as_long_as_its_thread(void **state)
{
    struct end end = run_in_child(prepare_in_a_thread);

    (void)state;
    /* With a sanitizer each thread has the sanitizer's, which may live on. */
    assert_true(WIFEXITED(end.status) &&
                (WEXITSTATUS(end.status) == 42 || (SANITIZER && WEXITSTATUS(end.status) == 2)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(overflow_names_the_task_and_ends_the_process),
        support_test(overflow_is_found_with_guards_that_are_mappings),
        support_test(overflow_in_a_thread_that_blocks_all_signals_is_reported),
        support_test(overflow_by_frames_larger_than_the_guard_is_reported),
        support_test(name_is_optional_bounded_and_harmless),
        support_test(guard_faults_and_is_no_overflow_if_the_stack_is_not_in_use),
        support_test(signal_that_was_sent_ends_the_process_without_a_word),
        support_test(handler_of_the_program_is_left_alone),
        support_test(more_slabs_than_are_watched_do_no_harm),
        support_test(alternative_stack_lives_as_long_as_its_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
