/* SPDX-License-Identifier: MIT */
/*
 * sendfile(2) waits for the disk if what it sends is not in the page cache,
 * and the loop with it. So a stretch that is not there is read by the job
 * pool first, which puts it there.
 */
#include "backend/readiness.h"

#include <weft/memory.h>

#include "backend/file.h"

struct warming {
    weft_work work;
    weft_link link;
    struct backend_stream *stream; /* NULL: it is closed */
    weft_file *file;
    uint64_t offset, length;
};

static void read_all(weft_work *work)
{
    struct warming *warming = weft_container_of(work, struct warming, work);
    uint64_t done = 0;
    char buffer[16 * 1024];
    int count = 1;

    for (; done < warming->length && count > 0; done += (uint64_t)count)
        count = file_read(warming->file, warming->offset + done, buffer, sizeof buffer);
}

static void warming_free(struct warming *warming)
{
    weft_link_remove(&warming->link);
    weft_file_unref(warming->file);
    weft_release(warming);
}

static void read_done(weft_work *work)
{
    struct warming *warming = weft_container_of(work, struct warming, work);
    struct backend_stream *stream = warming->stream;

    warming_free(warming);
    if (!stream)
        return;
    stream->flags &= ~(uint32_t)WARMING;
    stream->flags |= WARMED;
    stream->events->sent(stream, 0);
}

bool readiness_warm_start(struct readiness *self, struct backend_stream *stream, weft_file *file, uint64_t offset,
                          uint64_t length)
{
    struct warming *warming;

    if (file_is_cached(file, offset, length))
        return false;
    warming = weft_allocate_zeroed(1, sizeof *warming);
    if (!warming)
        return false; /* sending it slowly is better than not at all */
    warming->work = (weft_work){.run = read_all, .done = read_done};
    warming->stream = stream;
    warming->file = weft_file_ref(file);
    warming->offset = offset;
    warming->length = length;
    weft_link_insert_before(&self->warming, &warming->link);
    if (job_pool_submit(&self->jobs, &self->base, &warming->work) < 0) {
        warming_free(warming);
        return false;
    }
    stream->flags |= WARMING;
    return true;
}

void readiness_warm_abandon(struct readiness *self, const struct backend_stream *stream)
{
    for (weft_link *link = self->warming.next; link != &self->warming; link = link->next) {
        struct warming *warming = weft_container_of(link, struct warming, link);

        if (warming->stream == stream)
            warming->stream = NULL;
    }
}

void readiness_warm_forget(struct readiness *self)
{
    while (!weft_link_is_alone(&self->warming))
        warming_free(weft_container_of(self->warming.next, struct warming, link));
}
