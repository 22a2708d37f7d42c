/* SPDX-License-Identifier: MIT */
#include <weft/weft.h>

static size_t received(weft_protocol *self, weft_stream *peer, weft_bytes in)
{
    int status = weft_stream_write(peer, in);

    (void)self;
    if (status < 0) /* what cannot be echoed must not be missing from the middle */
        weft_stream_abort(peer);
    else if (status == 1) /* more is queued than the peer takes: read no more until it has */
        weft_stream_pause(peer);
    return in.length;
}

static void drained(weft_protocol *self, weft_stream *peer)
{
    (void)self;
    weft_stream_resume(peer);
}

static WEFT_PROTOCOL(echo_ops, "echo", "it keeps nothing", .received = received, .drained = drained);

int main(int argc, char **argv)
{
    weft_protocol echo = {&echo_ops};

    return weft_serve_protocol(argc > 1 ? argv[1] : "tcp://127.0.0.1:7007", &echo);
}
