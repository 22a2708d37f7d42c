/* SPDX-License-Identifier: MIT */
/* Tells everybody who they are: whoami URL. Behind proxy+ endpoints that is what the PROXY header says. */
#include <stdio.h>

#include <weft/weft.h>
#include <weft/wire/proxy.h>

static void tell(weft_stream *peer, void *unused)
{
    const weft_proxy_header *header = weft_stream_proxy_header(peer);
    char claimed[WEFT_ADDRESS_TEXT], direct[WEFT_ADDRESS_TEXT], text[256];

    (void)unused;
    weft_address_text(weft_stream_peer(peer), claimed);
    weft_address_text(weft_stream_direct_peer(peer), direct);
    snprintf(text, sizeof text, "you are %s by %s, header %d%s\n", claimed, direct, header ? header->version : 0,
             header && header->local ? " local" : "");
    (void)weft_write(peer, weft_bytes_from(text));
}

int main(int argc, char **argv)
{
    return weft_serve(argc > 1 ? argv[1] : "tcp://127.0.0.1:7007", tell, NULL);
}
