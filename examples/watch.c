/* SPDX-License-Identifier: MIT */
/* Counts what comes on standard input, which stays the program's own: the loop only says when it can be read. */
#include <stdio.h>
#include <unistd.h>

#include <weft/weft.h>

struct count {
    weft_watch watch;
    unsigned long lines, bytes;
};

static void input_is_ready(weft_watch *watch, unsigned what)
{
    struct count *count = weft_container_of(watch, struct count, watch);
    char buffer[4096];
    ssize_t length = read(weft_watch_descriptor(watch), buffer, sizeof buffer);

    (void)what;
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return; /* it will be told again */
    if (length <= 0) {
        weft_watch_stop(watch); /* nothing is left to wait for, so weft_loop_run returns */
        return;
    }
    for (ssize_t i = 0; i < length; i++)
        count->lines += buffer[i] == '\n';
    count->bytes += (unsigned long)length;
}

int main(void)
{
    struct count count = {.lines = 0};
    weft_loop *loop;
    int status = weft_loop_new(NULL, &loop);

    if (status < 0) {
        fprintf(stderr, "watch: %s\n", weft_error_text(status));
        return 1;
    }
    status = weft_watch_start(&count.watch, weft_loop_scope(loop), STDIN_FILENO, WEFT_READABLE, input_is_ready);
    if (status == 0)
        status = weft_loop_run(loop);
    weft_loop_free(loop);
    if (status < 0) {
        fprintf(stderr, "watch: standard input: %s\n", weft_error_text(status)); /* a file can be read without a wait */
        return 1;
    }
    printf("%lu lines, %lu bytes\n", count.lines, count.bytes);
    return 0;
}
