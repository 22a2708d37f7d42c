/* SPDX-License-Identifier: MIT */
#include "get_output.h"

#include <errno.h>
#include <string.h>

#include <weft/memory.h>

int get_output_init(struct get_output *output, weft_scope *scope, const char *path, const char *check,
                    void (*changed)(struct get_output *output))
{
    *output = (struct get_output){.scope = scope, .changed = changed};
    return get_file_init(&output->file, path, check);
}

void get_output_fini(struct get_output *output)
{
    get_file_fini(&output->file);
    weft_release(output->next.data);
    weft_release(output->going.data);
    output->next = output->going = (struct get_order){0};
}

/* On a thread of jobs. */
static void carry_out(weft_job *job)
{
    struct get_output *output = weft_container_of(job, struct get_output, job);
    const struct get_order *order = &output->going;
    struct get_file *file = &output->file;
    int status = output->result, closed = 0;

    if (status == 0 && order->reads)
        status = get_file_read(file);
    if (status == 0 && order->opens)
        status = get_file_open(file, output->offset);
    if (status == 0)
        status = get_file_write(file, weft_bytes_of(order->data, order->length));
    if (order->cuts && file->is_open)
        closed = get_file_cut(file, output->offset);
    if (order->closes && closed == 0)
        closed = get_file_close(file);
    output->result = status < 0 ? status : closed;
}

static void go_on(struct get_output *output);

static void was_carried_out(weft_job *job, int status)
{
    struct get_output *output = weft_container_of(job, struct get_output, job);

    output->busy = false;
    output->error = output->result < 0 ? output->result : status;
    go_on(output);
    output->changed(output);
}

static bool is_empty(const struct get_order *order)
{
    return !order->reads && !order->opens && order->length == 0 && !order->closes;
}

static void go_on(struct get_output *output)
{
    struct get_order done = output->going;
    int status;

    if (output->busy || is_empty(&output->next))
        return;
    output->going = output->next;
    output->next = (struct get_order){.data = done.data, .room = done.room};
    output->result = output->error;
    status = weft_job_start(&output->job, output->scope, carry_out, was_carried_out);
    output->busy = status == 0;
    if (status < 0 && output->error == 0)
        output->error = status;
}

int get_output_begin(struct get_output *output, uint64_t offset)
{
    output->offset = offset;
    output->next.opens = true;
    go_on(output);
    return output->error;
}

int get_output_write(struct get_output *output, weft_bytes bytes)
{
    struct get_order *order = &output->next;

    if (output->error < 0)
        return output->error;
    if (bytes.length > order->room - order->length) {
        size_t room = (order->length + bytes.length) * 2;
        char *grown = weft_reallocate(order->data, room);

        if (!grown)
            return output->error = WEFT_ENOMEM;
        order->data = grown;
        order->room = room;
    }
    if (bytes.length > 0)
        memcpy(order->data + order->length, bytes.data, bytes.length);
    order->length += bytes.length;
    go_on(output);
    return output->error < 0 ? output->error : order->length >= GET_OUTPUT_ENOUGH;
}

void get_output_end(struct get_output *output, bool is_wrong)
{
    output->next.cuts = is_wrong;
    output->next.closes = true;
    go_on(output);
}

void get_output_read(struct get_output *output)
{
    output->next.reads = true;
    go_on(output);
}

void get_output_cancel(struct get_output *output)
{
    get_wake_raise(&output->file.wake);
}
