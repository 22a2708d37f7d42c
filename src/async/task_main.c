/* SPDX-License-Identifier: MIT */
/* A whole program that is one task (weft_run). */
#include <weft/task.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "loop/loop_internal.h"

struct program {
    weft_scope *scope; /* the task's */
    weft_signal terminate, interrupt;
    int signalled; /* the number, or 0 */
    int result;
    bool ended;
};

/* Signals are nothing that the program goes on for: one that waits for nothing else has come to a deadlock. */
static int watch(weft_signal *signal, weft_loop *loop, int number, void (*raised)(weft_signal *signal))
{
    int status = weft_signal_start(signal, weft_loop_scope(loop), number, raised);

    if (status == 0)
        signal_set_background(signal);
    return status;
}

static void unwatch(struct program *program)
{
    weft_signal_stop(&program->terminate);
    weft_signal_stop(&program->interrupt);
}

/* The first signal asks the task to end; from then on a signal does what it does to any program. */
static void asked_to_end(struct program *program, int number)
{
    program->signalled = number;
    unwatch(program);
    weft_scope_cancel(program->scope, WEFT_ECANCELED);
}

static void terminated(weft_signal *signal)
{
    asked_to_end(weft_container_of(signal, struct program, terminate), SIGTERM);
}

static void interrupted(weft_signal *signal)
{
    asked_to_end(weft_container_of(signal, struct program, interrupt), SIGINT);
}

static int ended(int error, int *value, void *arg)
{
    struct program *program = arg;

    (void)value;
    program->ended = true;
    program->result = error;
    unwatch(program);
    weft_scope_close(program->scope);
    return 0;
}

static int start(struct program *program, weft_loop *loop)
{
    int status = watch(&program->terminate, loop, SIGTERM, terminated);

    program->scope = weft_scope_open(weft_loop_scope(loop), WEFT_NEVER);
    if (status == 0)
        status = watch(&program->interrupt, loop, SIGINT, interrupted);
    return program->scope ? status : WEFT_ENOMEM;
}

static int exit_status(const struct program *program, const char *name, int status)
{
    int error = status < 0 ? status : program->result;

    if (program->signalled)
        return 128 + program->signalled;
    if (status == 0 && !program->ended) {
        fprintf(stderr, "%s: waits for something that nothing will bring\n", name);
        return EXIT_FAILURE;
    }
    if (error < 0)
        fprintf(stderr, "%s: %s\n", name, weft_error_text(error));
    return error < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run(weft_task_function *function, void (*plain)(weft_task *me, void *arg), void *arg, const char *name)
{
    struct program program = {0};
    weft_loop *loop = NULL;
    weft_done done = {NULL};
    int status = weft_loop_new(NULL, &loop), shown;

    if (status == 0)
        status = start(&program, loop);
    if (status == 0) {
        done.deferred = function ? weft_task_spawn_done(program.scope, function, arg, NULL, name, WEFT_HERE)
                                 : weft_task_spawn_done_plain(program.scope, plain, arg, NULL, name, WEFT_HERE);
        status = weft_finally(done, ended, &program);
    }
    if (status == 0)
        status = weft_loop_run(loop);
    shown = exit_status(&program, name, status);
    unwatch(&program);
    weft_loop_free(loop);
    return shown;
}

int weft_task_run(weft_task_function *function, void *arg, const char *name)
{
    return run(function, NULL, arg, name);
}

int weft_task_run_plain(void (*function)(weft_task *me, void *arg), void *arg, const char *name)
{
    return run(NULL, function, arg, name);
}
