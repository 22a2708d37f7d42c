/* SPDX-License-Identifier: MIT */
/* What a deferred with three callbacks would cost if somebody wrote it by hand for one place: memory from malloc, the
 * callbacks in an array, a value that they change, and no more: no scope, no cancellation, no errors. */
#include "waiting.h"

struct callback {
    int (*run)(int error, int *value, void *arg);
    void *arg;
};

struct plain {
    int value, status;
    unsigned count;
    struct callback callbacks[3];
};

static volatile int total;

static int add_one(int error, int *value, void *arg)
{
    (void)arg;
    *value += 1;
    return error;
}

static int take(int error, int *value, void *arg)
{
    (void)arg;
    total += *value;
    return error;
}

static void __attribute__((noinline)) add(struct plain *plain, int (*run)(int error, int *value, void *arg), void *arg)
{
    plain->callbacks[plain->count++] = (struct callback){run, arg};
}

static void __attribute__((noinline)) fire(struct plain *plain, int value)
{
    plain->value = value;
    for (unsigned i = 0; i < plain->count; i++)
        plain->status = plain->callbacks[i].run(plain->status, &plain->value, plain->callbacks[i].arg);
    free(plain);
}

int main(int argc, char **argv)
{
    size_t count = count_from(argc, argv);
    double began = seconds_now();

    for (size_t i = 0; i < count; i++) {
        struct plain *plain = need(malloc(sizeof *plain));

        plain->count = 0;
        plain->status = 0;
        add(plain, add_one, NULL);
        add(plain, add_one, NULL);
        add(plain, take, NULL);
        fire(plain, 1);
    }
    tell("deferred", began, count);
    return 0;
}
