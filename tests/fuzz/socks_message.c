/* SPDX-License-Identifier: MIT */
/* SOCKS messages, of which the first byte says which: all divisions give the same, as early as possible; and a request or a
 * reply that was read can be written, and is the same bytes again. */
#include <stdio.h>
#include <stdlib.h>

#include <weft/wire/socks.h>

#include "fuzz/fuzz.h"

union message {
    weft_socks_greeting greeting;
    weft_socks_credentials credentials;
    weft_socks_request request;
    weft_socks_reply reply;
    uint8_t method;
    bool accepted;
};

static void demand(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "socks_message: %s\n", what);
    abort();
}

static int read_message(unsigned which, weft_bytes in, union message *ret)
{
    switch (which % 7) {
    case 0:
        return weft_socks_read_greeting(in, &ret->greeting);
    case 1:
        return weft_socks_read_credentials(in, &ret->credentials);
    case 2:
        return weft_socks_read_request(in, &ret->request);
    case 3:
        return weft_socks_read_choice(in, &ret->method);
    case 4:
        return weft_socks_read_verdict(in, &ret->accepted);
    case 5:
        return weft_socks_read_reply(in, 4, &ret->reply);
    default:
        return weft_socks_read_reply(in, 5, &ret->reply);
    }
}

static int write_message(unsigned which, char *out, size_t room, const union message *message)
{
    switch (which % 7) {
    case 0:
        return weft_socks_write_greeting(out, room, &message->greeting);
    case 1:
        return weft_socks_write_credentials(out, room, &message->credentials);
    case 2:
        return weft_socks_write_request(out, room, &message->request);
    case 3:
        return weft_socks_write_choice(out, room, message->method);
    case 4:
        return weft_socks_write_verdict(out, room, message->accepted);
    default:
        return weft_socks_write_reply(out, room, &message->reply);
    }
}

/* A refusal has many numbers, and 4a many addresses that are none. */
static bool has_one_form(unsigned which, const union message *message)
{
    return which % 7 != 4 && !(which % 7 == 2 && message->request.version == 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char out[WEFT_SOCKS_LONGEST];
    union message message, part;
    int whole, status = 0;
    size_t length = 0;
    weft_bytes in;

    if (size == 0)
        return 0;
    in = weft_bytes_of(data + 1, size - 1);
    whole = read_message(data[0], in, &message);
    while (status == 0 && length < in.length)
        status = read_message(data[0], weft_bytes_first(in, ++length), &part);
    demand(status == whole, "another result when it comes in pieces");
    if (whole <= 0)
        return 0;
    demand((size_t)whole == length && whole <= WEFT_SOCKS_LONGEST, "a message was taken before it was there, or later");
    if (data[0] % 7 == 2 && message.request.version == 4 && message.request.command == WEFT_SOCKS_UDP_ASSOCIATE)
        return 0; /* a server answers that it knows no such command */
    status = write_message(data[0], out, sizeof out, &message);
    demand(status == whole, "what was read cannot be written");
    demand(!has_one_form(data[0], &message) || memcmp(out, in.data, length) == 0,
           "it is not the same when it is written");
    return 0;
}
