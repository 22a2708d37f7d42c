/* SPDX-License-Identifier: MIT */
/* A client of Redis by hiredis on a loop, with a timer of ours: usage: hiredis_count PATH-OF-ITS-SOCKET */
#include <stdio.h>

#include <weft/adapters/hiredis.h>
#include <weft/weft.h>

struct counting {
    weft_timer timer;
    redisAsyncContext *redis;
    int rounds;
};

static void show(redisAsyncContext *redis, void *reply, void *arg)
{
    struct counting *counting = arg;
    const redisReply *value = reply;

    if (!value) {
        fprintf(stderr, "no answer: %s\n", redis->errstr);
        return;
    }
    printf("visits: %lld\n", value->integer);
    if (--counting->rounds > 0)
        weft_timer_start(&counting->timer, WEFT_MILLISECONDS(10));
    else
        redisAsyncDisconnect(redis);
}

static void count(weft_timer *timer)
{
    struct counting *counting = weft_container_of(timer, struct counting, timer);

    redisAsyncCommand(counting->redis, show, counting, "INCR visits");
}

int main(int argc, char **argv)
{
    struct counting counting = {.rounds = 3};
    weft_loop *loop;
    int status = argc == 2 ? weft_loop_new(NULL, &loop) : -1;

    if (status < 0)
        return 2;
    counting.redis = redisAsyncConnectUnix(argv[1]);
    status = weft_hiredis_attach(weft_loop_scope(loop), counting.redis);
    if (status == 0)
        status = weft_timer_init(&counting.timer, weft_loop_scope(loop), count);
    if (status == 0) {
        weft_timer_start(&counting.timer, 0);
        status = weft_loop_run(loop);
    }
    if (status < 0)
        fprintf(stderr, "%s\n", weft_error_text(status));
    weft_loop_free(loop);
    return status < 0 || counting.rounds > 0;
}
