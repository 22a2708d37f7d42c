/* SPDX-License-Identifier: MIT */
#include "sim/talk.h"

#include <stdio.h>

#include <weft/task_stream.h>

unsigned answered;

void talk(weft_task *me, void *arg)
{
    weft_stream *peer;
    weft_bytes in;

    (void)arg;
    if (weft_connect(weft_task_scope(me), "tcp://10.0.0.1:7", NULL, &peer) < 0)
        return;
    for (unsigned i = 0; i < TALK_MESSAGES; i++) {
        char text[32];
        int length = snprintf(text, sizeof text, "message %u of this connection", i);

        if (weft_write(peer, weft_bytes_of(text, (size_t)length)) < 0)
            return;
        if (weft_read_exactly(peer, (size_t)length, &in) != length)
            return;
        assert_memory_equal(in.data, text, (size_t)length);
        answered++;
    }
}

int client_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return weft_run(talk, NULL);
}
