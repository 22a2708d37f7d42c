/* SPDX-License-Identifier: MIT */
#include <weft/failure.h>

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <weft/memory.h>

#include "base/checked.h"

struct weft_failure {
    atomic_uint references; /* atomic: a failure is posted from loop to loop */
    int error;
    int line;
    const char *file; /* in strings: a module's own constant would go when the module is unloaded */
    const char *text; /* in strings */
    weft_failure *cause;
    char strings[];
};

/* Stands for every failure that there was no memory for. Its count is neither read nor written. */
static weft_failure short_of_memory = {
    .error = WEFT_ENOMEM,
    .file = __FILE__,
    .line = __LINE__,
    .text = "no memory to tell what failed",
};

static weft_failure *failure_allocate(size_t text_length, const char *file)
{
    size_t file_size = strlen(file) + 1;
    size_t size;

    if (!size_add(sizeof(weft_failure) + 1 + file_size, text_length, &size))
        return NULL;
    weft_failure *failure = weft_allocate(size);
    if (!failure)
        return NULL;
    char *copy = failure->strings + text_length + 1;
    memcpy(copy, file, file_size);
    failure->file = copy;
    failure->text = failure->strings;
    failure->strings[0] = '\0';
    return failure;
}

weft_failure *weft_failure_make(int error, const char *file, int line, weft_failure *cause, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    size_t text_length = length > 0 ? (size_t)length : 0;

    weft_failure *failure = failure_allocate(text_length, file);
    if (!failure) {
        weft_failure_unref(cause);
        return &short_of_memory;
    }
    atomic_init(&failure->references, 1);
    failure->error = error;
    failure->line = line;
    failure->cause = cause;
    if (text_length > 0) {
        va_start(args, format);
        vsnprintf(failure->strings, text_length + 1, format, args);
        va_end(args);
    }
    return failure;
}

weft_failure *weft_failure_ref(weft_failure *failure)
{
    if (failure && failure != &short_of_memory)
        atomic_fetch_add_explicit(&failure->references, 1, memory_order_relaxed);
    return failure;
}

/* A loop, not a recursion: a chain of causes may be longer than a stack is deep. */
void weft_failure_unref(weft_failure *failure)
{
    while (failure && failure != &short_of_memory) {
        if (atomic_fetch_sub_explicit(&failure->references, 1, memory_order_acq_rel) != 1)
            return;
        weft_failure *cause = failure->cause;
        weft_release(failure);
        failure = cause;
    }
}

int weft_failure_error(const weft_failure *failure)
{
    return failure->error;
}

const char *weft_failure_text(const weft_failure *failure)
{
    return failure->text;
}

const char *weft_failure_file(const weft_failure *failure)
{
    return failure->file;
}

int weft_failure_line(const weft_failure *failure)
{
    return failure->line;
}

const weft_failure *weft_failure_cause(const weft_failure *failure)
{
    return failure->cause;
}

/* A buffer that is written as far as it goes while the length of everything is counted. */
struct output {
    char *buffer;
    size_t size;
    size_t length;
};

static void output_add(struct output *output, const char *text)
{
    size_t length = strlen(text);
    if (output->length < output->size) {
        size_t room = output->size - output->length;
        memcpy(output->buffer + output->length, text, length < room ? length : room);
    }
    output->length += length;
}

size_t weft_failure_describe(const weft_failure *failure, char *buffer, size_t size)
{
    struct output output = {buffer, size, 0};
    int error = failure->error;

    for (; failure; failure = failure->cause) {
        error = failure->error;
        if (failure->text[0] == '\0')
            continue;
        output_add(&output, failure->text);
        output_add(&output, ": ");
    }
    output_add(&output, weft_error_text(error));
    if (size > 0)
        buffer[output.length < size ? output.length : size - 1] = '\0';
    return output.length;
}
