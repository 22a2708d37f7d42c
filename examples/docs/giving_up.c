/* SPDX-License-Identifier: MIT */
/* Three at once, given up together. Prints who was told what. */
#include <stdio.h>

#include <weft/weft.h>

static void sleeper(weft_task *me, void *arg)
{
    int *seconds = arg, status = weft_sleep(WEFT_SECONDS(*seconds) / 50);

    (void)me;
    printf("%d: %s\n", *seconds, status == 0 ? "slept well" : weft_error_text(status));
}

static int run(weft_task *me, void *arg)
{
    static int seconds[] = {1, 60, 3600};
    weft_scope *all = weft_scope_open(weft_task_scope(me), WEFT_MILLISECONDS(100));
    int status = 0;

    (void)arg;
    for (int i = 0; i < 3 && status == 0; i++)
        status = weft_spawn(all, sleeper, &seconds[i]);
    if (status == 0)
        status = weft_scope_wait(all);
    weft_scope_close(all);
    printf("all: %s\n", weft_error_text(status));
    return status == WEFT_ETIMEDOUT ? 0 : status; /* that was to be expected */
}

int main(void)
{
    return weft_run(run, NULL);
}
