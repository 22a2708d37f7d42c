/* SPDX-License-Identifier: MIT */
#include <weft/weft.h>

/* What cannot be answered at once waits, and what does not fit there either is dropped: nobody counts on a datagram. */
static void received(weft_datagram_protocol *self, weft_datagram_socket *socket, const weft_datagram *datagrams,
                     size_t count)
{
    (void)self;
    for (size_t i = 0; i < count; i++)
        (void)weft_datagram_reply(socket, &datagrams[i], datagrams[i].bytes);
}

static WEFT_DATAGRAM_PROTOCOL(echo_ops, "echo", "it keeps nothing", .received = received);

int main(int argc, char **argv)
{
    weft_datagram_protocol echo = {&echo_ops};

    return weft_serve_datagrams(argc > 1 ? argv[1] : "udp://127.0.0.1:7007", &echo, NULL);
}
