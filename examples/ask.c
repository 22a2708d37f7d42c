/* SPDX-License-Identifier: MIT */
/* Says one line to a server, over TLS if the URL says so, and prints what it answers: ask tls://HOST:PORT?ca=FILE TEXT. */
#include <stdio.h>
#include <string.h>

#include <weft/weft.h>

static int status = 1;

static int converse(weft_stream *peer, const char *text)
{
    weft_bytes in;
    int err = weft_write(peer, weft_bytes_from(text));

    if (err >= 0)
        err = weft_write(peer, weft_bytes_from("\n"));
    while (err >= 0 && (err = weft_read(peer, &in)) > 0) {
        printf("%.*s", (int)in.length, in.data);
        if (in.data[in.length - 1] == '\n')
            return 0;
    }
    return err;
}

static void ask(weft_task *me, void *arg)
{
    char **words = arg;
    weft_scope *scope = weft_scope_open(weft_task_scope(me), WEFT_SECONDS(20));
    weft_stream *peer;
    int err = weft_connect(scope, words[0], NULL, &peer);

    if (err >= 0)
        err = converse(peer, words[1]);
    if (err < 0)
        fprintf(stderr, "ask: %s (%s)\n", weft_error_text(err), weft_error_name(err));
    status = err < 0;
    weft_scope_close(scope);
}

int main(int argc, char **argv)
{
    int err;

    if (argc != 3) {
        fprintf(stderr, "usage: ask URL TEXT\n");
        return 2;
    }
    err = weft_run(ask, argv + 1);
    return err ? err : status;
}
