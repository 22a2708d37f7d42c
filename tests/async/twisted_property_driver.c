/* SPDX-License-Identifier: MIT */
/*
 * Plays the scripts of twisted_property on Weft's deferreds: reads them from
 * standard input and writes one line for each, all that happened in its order.
 * The format and the rules (what is passed over, and why) are told there.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <weft/deferred.h>
#include <weft/log.h>
#include <weft/loop.h>
#include <weft/timer.h>

WEFT_DEFERRED(number, int);

#define DEFERREDS 16
#define CALLBACKS 64
#define NESTED 4
/* So many operations in one script; what would come after is passed over. */
#define OPERATIONS_MOST 400

enum code { THEN, CATCH, BOTH, PAIR, CHAIN, FIRE, FAIL, CANCEL, PAUSE, UNPAUSE, TIMEOUT, ADVANCE };
enum answer { PASS, GIVE, ERROR, BECOME };
enum canceller { NONE, SILENT, FIRES, FAILS };

struct operation {
    int code, a, b, c;
};

struct callback {
    int answer, with, count;
    struct operation nested[NESTED];
};

/* One callback on one deferred. */
struct added {
    struct added *next;
    int deferred, callback;
};

static weft_loop *loop;
static number deferreds[DEFERREDS];
static int deferred_count;
static struct callback callbacks[CALLBACKS];
static bool taken[DEFERREDS], chained[DEFERREDS];
static int running[DEFERREDS], pauses[DEFERREDS];
static int depth, operations;
static struct added *all_added;

static FILE *out; /* NULL when the script is over and all is only cleaned up */

static void operate(const struct operation *operation);

static WEFT_PRINTF(1, 2) void note(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (out)
        vfprintf(out, format, args);
    va_end(args);
}

/* -- callbacks -- */

static struct added *add(int deferred, int callback)
{
    struct added *added = malloc(sizeof *added);

    if (!added)
        abort();
    *added = (struct added){all_added, deferred, callback};
    all_added = added;
    return added;
}

static bool may_become(int outer, int inner)
{
    return inner > outer && !running[inner] && !taken[inner] && !chained[inner];
}

static int play(int error, int *value, void *arg)
{
    const struct added *added = arg;
    const struct callback *callback = &callbacks[added->callback];
    int own = added->deferred;

    note(" %d:%d%c%d", own, added->callback, error ? '!' : '=', error ? error : *value);
    running[own]++;
    depth++;
    for (int i = 0; i < callback->count; i++)
        operate(&callback->nested[i]);
    depth--;
    running[own]--;
    if (callback->answer == GIVE) {
        *value = callback->with;
        return 0;
    }
    if (callback->answer == ERROR)
        return callback->with;
    if (callback->answer == BECOME && may_become(own, callback->with)) {
        taken[callback->with] = true;
        return weft_become(value, deferreds[callback->with]);
    }
    return error;
}

static void canceller(weft_deferred *deferred, int reason, void *arg)
{
    const enum canceller *kind = arg;
    number own = {.deferred = deferred};

    (void)reason;
    note(" cancelling");
    if (*kind == FIRES)
        weft_fire(own, 50);
    else if (*kind == FAILS)
        weft_deferred_fail(deferred, -32);
}

/* -- time -- */

static void time_passed(weft_timer *timer)
{
    (void)timer;
    weft_loop_stop(loop);
}

static void advance(int ms)
{
    weft_timer timer;

    if (weft_timer_init(&timer, weft_loop_scope(loop), time_passed) < 0)
        abort();
    weft_timer_start(&timer, WEFT_MILLISECONDS(ms));
    if (weft_loop_run(loop) < 0)
        abort();
    weft_timer_fini(&timer);
}

/* -- operations -- */

static int add_some(const struct operation *operation, number d)
{
    struct added *first = add(operation->a, operation->b);

    switch ((enum code)operation->code) {
    case THEN:
        return weft_then(d, play, first);
    case CATCH:
        return weft_catch(d, play, first);
    case BOTH:
        return weft_finally(d, play, first);
    default:
        return weft_then_or(d, play, play, first);
    }
}

static int change(const struct operation *operation, number d)
{
    int which = operation->a;

    switch ((enum code)operation->code) {
    case THEN:
    case CATCH:
    case BOTH:
    case PAIR:
        return taken[which] ? 0 : add_some(operation, d);
    case CHAIN:
        if (taken[which])
            return 0;
        chained[which] = true;
        return weft_chain(d, deferreds[operation->b]);
    case TIMEOUT:
        return taken[which] ? 0 : weft_timeout(d.deferred, WEFT_MILLISECONDS(operation->b));
    case FIRE:
        note(" fire%d", weft_fire(d, operation->b));
        return 0;
    case FAIL:
        note(" fail%d", weft_deferred_fail(d.deferred, operation->b));
        return 0;
    case CANCEL:
        weft_cancel(d.deferred);
        return 0;
    case PAUSE:
        if (depth == 0) {
            pauses[which]++;
            weft_pause(d.deferred);
        }
        return 0;
    case UNPAUSE:
        if (pauses[which] > 0) {
            pauses[which]--;
            weft_unpause(d.deferred);
        }
        return 0;
    case ADVANCE:
        advance(operation->b);
        return 0;
    }
    return -1;
}

static void operate(const struct operation *operation)
{
    if (operations++ >= OPERATIONS_MOST)
        return;
    if (change(operation, deferreds[operation->a]) < 0)
        abort();
}

/* -- a script -- */

static int next_number(void)
{
    int value;

    if (scanf("%d", &value) != 1)
        abort();
    return value;
}

static struct operation read_operation(void)
{
    struct operation operation;

    operation.code = next_number();
    operation.a = next_number();
    operation.b = next_number();
    operation.c = next_number();
    return operation;
}

static void make_deferreds(weft_scope *scope)
{
    static enum canceller kinds[DEFERREDS];

    deferred_count = next_number();
    for (int i = 0; i < deferred_count; i++) {
        kinds[i] = (enum canceller)next_number();
        deferreds[i] = weft_deferred_new_with(number, scope, 0, kinds[i] == NONE ? NULL : canceller, &kinds[i]);
        weft_deferred_ref(deferreds[i].deferred);
        taken[i] = chained[i] = false;
        running[i] = pauses[i] = 0;
    }
}

static void read_callbacks(void)
{
    int count = next_number();

    for (int i = 0; i < count; i++) {
        struct callback *callback = &callbacks[i];
        callback->answer = next_number();
        callback->with = next_number();
        callback->count = next_number();
        for (int j = 0; j < callback->count; j++)
            callback->nested[j] = read_operation();
    }
}

static void print_states(void)
{
    for (int i = 0; i < deferred_count; i++) {
        int value = 0, status = weft_peek(deferreds[i], &value);

        if (!weft_deferred_ready(deferreds[i].deferred))
            note(" %c", weft_deferred_fired(deferreds[i].deferred) ? 'w' : '-');
        else
            note(" %d", status ? status : value);
    }
}

static void end_script(weft_scope *scope)
{
    out = NULL;
    for (int i = 0; i < deferred_count; i++)
        weft_deferred_unref(deferreds[i].deferred);
    weft_scope_close(scope);
    operations = OPERATIONS_MOST;
    while (weft_scope_count(weft_loop_scope(loop)) > 0)
        if (weft_loop_run(loop) < 0)
            abort();
    while (all_added) {
        struct added *added = all_added;
        all_added = added->next;
        free(added);
    }
}

static void play_script(void)
{
    weft_scope *scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    int count;

    make_deferreds(scope);
    read_callbacks();
    operations = 0;
    count = next_number();
    for (int i = 0; i < count; i++) {
        struct operation operation = read_operation();
        operate(&operation);
    }
    note(" |");
    print_states();
    note("\n");
    end_script(scope);
}

static void ignore(const weft_log_event *event, void *arg)
{
    (void)event;
    (void)arg;
}

int main(void)
{
    weft_loop_options options = {.size = sizeof options, .backend = "sim:1", .watchdog = WEFT_NEVER};
    int seed;

    weft_log_set_sink(ignore, NULL);
    if (weft_loop_new(&options, &loop) < 0)
        return EXIT_FAILURE;
    while (scanf("%d", &seed) == 1) {
        out = stdout;
        note("%d", seed);
        play_script();
    }
    weft_loop_free(loop);
    return EXIT_SUCCESS;
}
