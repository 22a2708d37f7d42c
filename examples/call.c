/* SPDX-License-Identifier: MIT */
/* Connects to any endpoint, says TEXT and prints all that comes back: call URL [TEXT]. */
#include <stdio.h>

#include <weft/weft.h>

struct call {
    const char *url, *text;
};

static int talk(weft_stream *stream, const char *text)
{
    weft_bytes in;
    int status = text ? weft_write(stream, weft_bytes_from(text)) : 0;

    if (status < 0)
        return status;
    if (text)
        weft_stream_end(stream);
    while ((status = weft_read(stream, &in)) > 0)
        fwrite(in.data, 1, in.length, stdout);
    return status;
}

static int run(weft_task *me, void *arg)
{
    const struct call *call = arg;
    weft_stream *stream;
    int status = weft_connect(weft_task_scope(me), call->url, NULL, &stream);

    if (status == 0)
        status = talk(stream, call->text);
    if (status < 0)
        fprintf(stderr, "%s: %s\n", weft_error_name(status), weft_error_text(status));
    return status;
}

int main(int argc, char **argv)
{
    struct call call = {.url = argc > 1 ? argv[1] : "tcp://127.0.0.1:7007", .text = argc > 2 ? argv[2] : NULL};

    return weft_run(run, &call);
}
