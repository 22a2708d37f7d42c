/* SPDX-License-Identifier: MIT */
/* The same, waited for in a task. Prints "21 doubled is 42". */
#include <stdio.h>

#include <weft/weft.h>

static int ask_slowly(weft_task *me, void *arg)
{
    int *answer = arg;

    (void)me;
    weft_sleep(WEFT_MILLISECONDS(10));
    *answer = 21;
    return 0;
}

static int run(weft_task *me, void *arg)
{
    int answer, status = weft_wait(weft_spawn_done(weft_task_scope(me), ask_slowly, &answer));

    (void)arg;
    if (status == 0)
        printf("21 doubled is %d\n", answer * 2);
    return status;
}

int main(void)
{
    return weft_run(run, NULL);
}
