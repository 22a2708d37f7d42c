/* SPDX-License-Identifier: MIT */
/*
 * The report of a stack that overflowed. The handler looks for the slab that
 * the address lies in, writes one line, puts the disposition back that there
 * was before, and returns: the same instruction then faults again, and what
 * follows is what would have followed without us (a core dump, a sanitizer's
 * report).
 *
 * The slabs are in a table of fixed size, which the handler reads while any
 * thread may change it: an entry's `low` is set last and cleared first.
 */
#include "backend/stack.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/poison.h"

#if defined(BASE_POISON_ENABLED) || defined(__SANITIZE_THREAD__)
#define SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SANITIZER 1
#endif
#endif

#define SLABS 4096
#define ALTERNATIVE_STACK (64 * 1024)
#define LONGEST_NAME 100

struct watched {
    atomic_uintptr_t low; /* 0: free; TAKEN: being filled in */
    atomic_size_t size, count;
};

#define TAKEN 1

static struct watched slabs[SLABS];
static atomic_uint next_slab;
static const int signals[] = {SIGSEGV, SIGBUS};
static struct sigaction before[2];
static pthread_key_t alternative_stack;
static bool has_key;

/* -- the table -- */

int stack_fault_watch(const void *low, size_t size, size_t count)
{
    unsigned start = atomic_load(&next_slab);

    for (unsigned i = 0; i < SLABS; i++) {
        unsigned number = (start + i) % SLABS;
        uintptr_t none = 0;
        if (atomic_compare_exchange_strong(&slabs[number].low, &none, TAKEN)) {
            atomic_store(&slabs[number].size, size);
            atomic_store(&slabs[number].count, count);
            atomic_store(&slabs[number].low, (uintptr_t)low);
            atomic_store(&next_slab, number + 1);
            return (int)number;
        }
    }
    return -1;
}

void stack_fault_forget(int number)
{
    if (number < 0)
        return;
    atomic_store(&slabs[number].low, 0);
    atomic_store(&next_slab, (unsigned)number); /* the next one lies where memory is in use already */
}

/* The place whose guard page holds @p address, or 0. */
static uintptr_t find_guard(uintptr_t address, size_t *ret_size)
{
    for (unsigned i = 0; i < SLABS; i++) {
        uintptr_t low = atomic_load(&slabs[i].low);
        size_t size = atomic_load(&slabs[i].size), count = atomic_load(&slabs[i].count);
        if (low <= TAKEN || address < low || address - low >= size * count)
            continue;
        *ret_size = size;
        return (address - low) % size < stack_page() ? address - (address - low) % size : 0;
    }
    return 0;
}

/* -- the line -- */

struct line {
    char text[LONGEST_NAME + 160];
    size_t length;
};

static void add(struct line *line, const char *text)
{
    while (*text && line->length < sizeof line->text)
        line->text[line->length++] = *text++;
}

static void add_number(struct line *line, size_t number)
{
    char digits[24], *at = digits + sizeof digits - 1;

    *at = '\0';
    do
        *--at = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    add(line, at);
}

/* A name may come from anywhere: no control characters. */
static void add_name(struct line *line, const char *name)
{
    for (size_t i = 0; i < LONGEST_NAME && name[i]; i++)
        add(line, (char[]){(char)((unsigned char)name[i] < ' ' || name[i] == 127 ? '?' : name[i]), '\0'});
}

static void report(uintptr_t place, size_t size)
{
    const struct stack_top *top = (const struct stack_top *)(place + size) - 1;
    struct line line = {.length = 0};

    add(&line, "weft: the stack of ");
    if (top->name) {
        add(&line, "task \"");
        add_name(&line, top->name);
        add(&line, "\"");
    } else {
        add(&line, "a task");
    }
    add(&line, " overflowed (");
    add_number(&line, size);
    add(&line, " bytes; ask for more when it is spawned)\n");
    (void)!write(STDERR_FILENO, line.text, line.length);
}

/* -- the handler -- */

static uintptr_t stack_pointer(const ucontext_t *machine)
{
#if defined(__x86_64__)
    return (uintptr_t)machine->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
    return (uintptr_t)machine->uc_mcontext.sp;
#else
    (void)machine;
    return 0;
#endif
}

/* Whether what touched the guard ran on the stack above it. A frame larger than the guard may have put the stack pointer
 * into the place below; if it is anywhere else, a pointer is wrong, and not the size of a stack. */
static bool is_overflow(uintptr_t place, size_t size, uintptr_t sp)
{
    return sp == 0 || (sp >= place - size && sp < place + size);
}

static void on_fault(int number, siginfo_t *about, void *machine)
{
    int error = errno;
    bool was_sent = about->si_code <= 0;
    size_t size;
    uintptr_t place = was_sent ? 0 : find_guard((uintptr_t)about->si_addr, &size);

    if (place && is_overflow(place, size, stack_pointer(machine)))
        report(place, size);
    sigaction(number, &before[number == SIGSEGV ? 0 : 1], NULL);
    if (was_sent)
        raise(number); /* it comes when this handler returns: there is no fault to run into again */
    errno = error;
}

static bool is_free(const struct sigaction *action)
{
#if defined(SANITIZER)
    (void)action;
    return true; /* the sanitizer's, which reports a fault of its own then */
#else
    return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == SIG_DFL;
#endif
}

/* The end of a thread that has an alternative stack of ours. */
static void free_alternative_stack(void *memory)
{
    stack_t now;

    if (sigaltstack(NULL, &now) == 0 && now.ss_sp == memory)
        sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
    munmap(memory, ALTERNATIVE_STACK);
}

static void install(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    sigemptyset(&action.sa_mask);
    has_key = pthread_key_create(&alternative_stack, free_alternative_stack) == 0;
    (void)stack_page(); /* so that the handler need not ask */
    for (int i = 0; i < 2; i++)
        if (sigaction(signals[i], NULL, &before[i]) == 0 && is_free(&before[i]))
            sigaction(signals[i], &action, NULL);
}

static pthread_once_t installed = PTHREAD_ONCE_INIT;

void stack_fault_install(void)
{
    pthread_once(&installed, install);
}

static void give_alternative_stack(void)
{
    stack_t now;
    void *memory;

    if (!has_key || sigaltstack(NULL, &now) < 0 || !(now.ss_flags & SS_DISABLE))
        return;
    memory = mmap(NULL, ALTERNATIVE_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return;
    if (pthread_setspecific(alternative_stack, memory) != 0 ||
        sigaltstack(&(stack_t){.ss_sp = memory, .ss_size = ALTERNATIVE_STACK}, NULL) < 0) {
        pthread_setspecific(alternative_stack, NULL);
        munmap(memory, ALTERNATIVE_STACK);
    }
}

void stack_fault_prepare(void)
{
    static _Thread_local bool prepared;
    sigset_t both;

    if (prepared)
        return;
    prepared = true;
    stack_fault_install();
    give_alternative_stack();
    /* A worker blocks every signal; a fault whose signal is blocked kills without a word. */
    sigemptyset(&both);
    sigaddset(&both, SIGSEGV);
    sigaddset(&both, SIGBUS);
    pthread_sigmask(SIG_UNBLOCK, &both, NULL);
}
