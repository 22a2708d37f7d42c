/* SPDX-License-Identifier: MIT */
/* A chat room: whoever connects (nc localhost 7007) gives a name; what one says, all others read. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <weft/queue.h>
#include <weft/weft.h>

#define LINE 512

WEFT_QUEUE(inbox, char *); /* lines that somebody is still to be sent; a slow reader misses what does not fit */

struct guest {
    weft_link link;
    weft_stream *peer;
    weft_scope *scope; /* holds the lines, so that none is left if this guest is cut off */
    inbox inbox;
    char name[33];
};

struct room {
    weft_link guests;
};

static void say(struct room *room, const struct guest *except, const char *format, ...) WEFT_PRINTF(3, 4);

static void say(struct room *room, const struct guest *except, const char *format, ...)
{
    char line[LINE + 64];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    for (weft_link *link = room->guests.next; link != &room->guests; link = link->next) {
        struct guest *guest = weft_container_of(link, struct guest, link);
        char *copy = guest == except ? NULL : weft_scope_allocate(guest->scope, sizeof line);

        if (copy && weft_queue_try_put(guest->inbox, memcpy(copy, line, sizeof line)) < 0)
            weft_scope_release(copy);
    }
}

/* Sends a guest what the others say, until the inbox is closed. */
static void deliver(weft_task *me, void *arg)
{
    struct guest *guest = arg;
    char *line;

    (void)me;
    while (weft_pop(guest->inbox, &line) == 0) {
        (void)weft_write(guest->peer, weft_bytes_from(line)); /* if it fails, the reader will see it, too */
        weft_scope_release(line);
    }
}

/* The next line without its end. Returns its length; 0 at the end, negative for an error. */
static int next_line(weft_stream *peer, char *line, size_t size)
{
    weft_bytes in;
    int length = weft_read_until(peer, weft_bytes_from("\n"), size - 1, &in);

    if (length <= 0)
        return length;
    memcpy(line, in.data, in.length);
    line[in.length] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    return length;
}

static void converse(struct room *room, struct guest *guest)
{
    char line[LINE];

    say(room, guest, "* %s has come\n", guest->name);
    while (next_line(guest->peer, line, sizeof line) > 0)
        if (*line)
            say(room, guest, "%s: %s\n", guest->name, line);
    say(room, guest, "* %s has gone\n", guest->name);
}

static void chat(weft_stream *peer, void *arg)
{
    struct room *room = arg;
    weft_scope *scope = weft_task_scope(weft_task_current());
    weft_scope *delivery = weft_scope_open(scope, WEFT_NEVER);
    struct guest guest = {.peer = peer, .scope = scope, .inbox = weft_queue_new(inbox, scope, 100, 1)};

    if (weft_write(peer, weft_bytes_from("Who are you? ")) < 0 || next_line(peer, guest.name, sizeof guest.name) <= 0)
        return;
    if (weft_spawn(delivery, deliver, &guest) < 0)
        return;
    weft_link_insert_before(&room->guests, &guest.link);
    converse(room, &guest);
    weft_link_remove(&guest.link);
    weft_queue_close(guest.inbox.queue);
    (void)!weft_scope_wait(delivery); /* what others have said already goes out */
    (void)weft_scope_finish(delivery);
}

int main(int argc, char **argv)
{
    struct room room;

    weft_link_init(&room.guests);
    return weft_serve(argc > 1 ? argv[1] : "tcp://127.0.0.1:7007", chat, &room);
}
