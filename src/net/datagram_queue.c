/* SPDX-License-Identifier: MIT */
/* Datagrams that wait to be sent (datagram_internal.h). */
#include <string.h>

#include <weft/memory.h>

#include "net/datagram_internal.h"

#define ROOM_LEAST 1024
/* An empty queue keeps no more. */
#define ROOM_KEPT (16 * 1024)

/* One that waits; its bytes follow, and its path. */
struct waiting {
    size_t size; /* in all, a multiple of what a struct is aligned to */
    weft_datagram datagram;
    char memory[];
};

static size_t size_of(const weft_datagram *datagram)
{
    size_t size = sizeof(struct waiting) + datagram->bytes.length + datagram->path.length;

    return (size + _Alignof(struct waiting) - 1) & ~(_Alignof(struct waiting) - 1);
}

static struct waiting *at(const struct datagram_queue *queue, size_t offset)
{
    return (struct waiting *)(void *)(queue->data + offset);
}

/* Room for @p size more at the end. */
static int make_room(struct datagram_queue *queue, size_t size)
{
    size_t used = queue->end - queue->begin, room = queue->room ? queue->room : ROOM_LEAST;
    char *data = queue->data;

    if (queue->room - queue->end >= size)
        return 0;
    while (room < used + size || room - used < room / 4)
        room *= 2;
    if (room > queue->room) {
        data = weft_allocate(room);
        if (!data)
            return WEFT_ENOMEM;
    }
    if (used > 0)
        memmove(data, queue->data + queue->begin, used);
    if (data != queue->data)
        weft_release(queue->data);
    queue->data = data;
    queue->room = room;
    queue->begin = 0;
    queue->end = used;
    return 0;
}

static void copy(char *to, weft_bytes from)
{
    if (from.length > 0)
        memcpy(to, from.data, from.length);
}

int datagram_queue_add(struct datagram_queue *queue, const weft_datagram *datagram)
{
    size_t size = size_of(datagram);
    struct waiting *waiting;

    if (make_room(queue, size) < 0)
        return WEFT_ENOMEM;
    waiting = at(queue, queue->end);
    waiting->size = size;
    waiting->datagram = *datagram;
    copy(waiting->memory, datagram->bytes);
    copy(waiting->memory + datagram->bytes.length, datagram->path);
    queue->end += size;
    queue->count++;
    queue->bytes += datagram->bytes.length;
    return 0;
}

size_t datagram_queue_peek(const struct datagram_queue *queue, weft_datagram *ret, size_t most)
{
    size_t count = 0;

    for (size_t offset = queue->begin; count < most && offset < queue->end; count++) {
        const struct waiting *waiting = at(queue, offset);

        ret[count] = waiting->datagram;
        ret[count].bytes.data = waiting->memory;
        ret[count].path.data = waiting->memory + waiting->datagram.bytes.length;
        offset += waiting->size;
    }
    return count;
}

void datagram_queue_drop(struct datagram_queue *queue, size_t count)
{
    for (; count > 0; count--) {
        const struct waiting *waiting = at(queue, queue->begin);

        queue->count--;
        queue->bytes -= waiting->datagram.bytes.length;
        queue->begin += waiting->size;
    }
    if (queue->count > 0)
        return;
    queue->begin = queue->end = 0;
    if (queue->room > ROOM_KEPT)
        datagram_queue_clear(queue);
}

void datagram_queue_clear(struct datagram_queue *queue)
{
    weft_release(queue->data);
    *queue = (struct datagram_queue){0};
}
