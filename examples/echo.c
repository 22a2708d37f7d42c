/* SPDX-License-Identifier: MIT */
#include <weft/weft.h>

static void echo(weft_stream *peer, void *unused)
{
    weft_bytes in;

    (void)unused;
    while (weft_read(peer, &in) > 0 && weft_write(peer, in) == 0)
        ;
}

int main(int argc, char **argv)
{
    return weft_serve(argc > 1 ? argv[1] : "tcp://127.0.0.1:7007", echo, NULL);
}
