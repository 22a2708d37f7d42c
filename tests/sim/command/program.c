/* SPDX-License-Identifier: MIT */
/* A program with its own main, for command.py: it talks to itself, and counts on its connection. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/weft.h>

#define FRAMES 20

static weft_acceptor *acceptor;
static int answered;
static bool unset; /* sends memory that nobody has set */

static weft_bytes frame(void)
{
    static char *volatile memory;

    if (!unset)
        return weft_bytes_from("12345678");
    if (!memory)
        memory = malloc(64);
    return weft_bytes_of(memory + 32, 8);
}

static void send_frames(weft_task *me, void *unused)
{
    weft_stream *peer;
    weft_bytes in;

    (void)unused;
    if (weft_connect(weft_task_scope(me), "tcp://127.0.0.1:7", NULL, &peer) < 0)
        return;
    for (int i = 0; i < FRAMES; i++)
        if (weft_write(peer, frame()) < 0 || weft_read_exactly(peer, 8, &in) != 8)
            return;
        else
            answered++;
    weft_close(peer);
}

static void take_frames(weft_task *me, void *unused)
{
    weft_stream *peer;
    weft_bytes in;

    (void)unused;
    if (weft_acceptor_open(weft_task_scope(me), "tcp://127.0.0.1:7", NULL, &acceptor, NULL) < 0 ||
        weft_spawn(weft_task_scope(me), send_frames, NULL) < 0 || weft_accept(acceptor, weft_task_scope(me), &peer) < 0)
        return;
    while (weft_read(peer, &in) > 0 && weft_write(peer, in) == 0)
        ;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--crash") == 0)
        abort();
    if (argc > 1 && strcmp(argv[1], "--hang") == 0)
        for (volatile int on = 1; on;)
            ;
    if (argc > 1 && strcmp(argv[1], "--picky") == 0)
        return strcmp(getenv("WEFT_SIM_VISITORS"), "20,1000") == 0 ? 4 : 5;
    if (argc > 1 && strcmp(argv[1], "--forget") == 0) {
        static weft_loop *loop;
        return weft_loop_new(NULL, &loop) < 0;
    }
    unset = argc > 1 && strcmp(argv[1], "--unset") == 0;
    (void)weft_run(take_frames, NULL);
    if (answered == FRAMES || (argc > 1 && strcmp(argv[1], "--sound") == 0))
        return 0;
    printf("only %d answers\n", answered);
    return 3;
}
