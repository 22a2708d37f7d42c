/* SPDX-License-Identifier: MIT */
#include "get_body.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <weft/memory.h>
#include <weft/secret.h>

static int complain(const char *what, const char *why)
{
    char shown[200];

    fprintf(stderr, "weft get: %s: %s\n", option_printable(what, shown, sizeof shown), why);
    return EXIT_USAGE;
}

/* Bytes that grow; `data` is NULL and `failed` set when memory is short. */
struct buffer {
    char *data;
    size_t length, room;
    bool failed;
};

static void append(struct buffer *buffer, const void *data, size_t length)
{
    if (buffer->length + length > buffer->room) {
        size_t room = (buffer->length + length) * 2;
        char *grown = weft_reallocate(buffer->data, room);

        if (!grown) {
            buffer->failed = true;
            return;
        }
        buffer->data = grown;
        buffer->room = room;
    }
    memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
}

/* "-" is standard input. Returns an exit status. */
static int append_file(struct buffer *buffer, const char *path)
{
    bool is_input = strcmp(path, "-") == 0;
    FILE *file = is_input ? stdin : fopen(path, "rb");
    char piece[8192];
    size_t length;
    int error;

    if (!file)
        return complain(path, strerror(errno)), EXIT_FAILED;
    while (!buffer->failed && buffer->length <= GET_BODY_MOST && (length = fread(piece, 1, sizeof piece, file)) > 0)
        append(buffer, piece, length);
    error = ferror(file) ? errno : 0;
    if (!is_input)
        (void)fclose(file);
    if (error)
        return complain(path, strerror(error)), EXIT_FAILED;
    if (buffer->failed)
        return complain(path, "out of memory"), EXIT_FAILED;
    if (buffer->length > GET_BODY_MOST)
        return complain(path, "is longer than 1 GiB; --upload sends files of any length");
    return EXIT_DONE;
}

/* -- fields -- */

/* "Name: value" */
static int add_header(struct get_body *body, const char *text)
{
    const char *colon = strchr(text, ':'), *value;
    size_t length;

    if (!colon || colon == text)
        return complain(text, "is not a field: write 'Name: value'");
    value = colon + 1 + strspn(colon + 1, " \t");
    length = strlen(value);
    while (length > 0 && strchr(" \t", value[length - 1]))
        length--;
    body->fields[body->field_count++] =
        (weft_http_field){weft_bytes_of(text, (size_t)(colon - text)), weft_bytes_of(value, length)};
    return EXIT_DONE;
}

static void add_field(struct get_body *body, const char *name, weft_bytes value)
{
    for (size_t i = 0; i < body->field_count; i++)
        if (weft_bytes_equal_nocase(body->fields[i].name, weft_bytes_from(name)))
            return; /* the user's own comes first */
    body->fields[body->field_count++] = (weft_http_field){weft_bytes_from(name), value};
}

/* -- bodies -- */

static int add_data(struct get_body *body, const struct option_strings *data)
{
    struct buffer buffer = {0};
    int status = EXIT_DONE;

    for (size_t i = 0; i < data->count && status == EXIT_DONE; i++) {
        if (i > 0)
            append(&buffer, "&", 1);
        if (data->items[i][0] == '@')
            status = append_file(&buffer, data->items[i] + 1);
        else
            append(&buffer, data->items[i], strlen(data->items[i]));
    }
    body->data = buffer.data;
    body->body = weft_bytes_of(buffer.data, buffer.length);
    if (status == EXIT_DONE && buffer.failed)
        return EXIT_FAILED;
    add_field(body, "Content-Type", weft_bytes_from("application/x-www-form-urlencoded"));
    return status;
}

/* The part of @p path behind its last slash. */
static weft_bytes base_name(weft_bytes path)
{
    size_t begin = path.length;

    while (begin > 0 && path.data[begin - 1] != '/')
        begin--;
    return weft_bytes_skip(path, begin);
}

/* "@FILE" or "@FILE;type=TYPE" */
static int read_file_part(const char *text, struct buffer *content, weft_http_form_field *field)
{
    const char *type = strstr(text, ";type=");
    weft_bytes name = weft_bytes_of(text, type ? (size_t)(type - text) : strlen(text));
    char path[4096];
    int status;

    if (name.length >= sizeof path)
        return complain(text, "the file's name is too long");
    memcpy(path, name.data, name.length);
    path[name.length] = '\0';
    status = append_file(content, path);
    field->type = type ? type + 6 : NULL;
    field->file_name = base_name(name);
    field->value = weft_bytes_of(content->data, content->length);
    return status;
}

/* NAME=VALUE or NAME=@FILE */
static int read_part(const char *text, struct buffer *content, weft_http_form_field *field)
{
    const char *equals = strchr(text, '=');

    if (!equals || equals == text)
        return complain(text, "is not a form's field: write NAME=VALUE or NAME=@FILE");
    field->name = weft_bytes_of(text, (size_t)(equals - text));
    if (equals[1] == '@')
        return read_file_part(equals + 2, content, field);
    field->value = weft_bytes_from(equals + 1);
    return EXIT_DONE;
}

static int add_forms(struct get_body *body, weft_loop *loop, const struct option_strings *forms)
{
    struct buffer contents[OPTION_REPEATS] = {0};
    weft_http_form_field fields[OPTION_REPEATS] = {0};
    int status = EXIT_DONE, made;

    for (size_t i = 0; i < forms->count && status == EXIT_DONE; i++)
        status = read_part(forms->items[i], &contents[i], &fields[i]);
    if (status == EXIT_DONE) {
        made = weft_http_form_multipart(loop, fields, forms->count, &body->form);
        if (made < 0)
            status = complain("--form", weft_error_text(made));
        body->form.content_type = weft_bytes_from(body->form.type);
        body->body = body->form.body;
        add_field(body, "Content-Type", body->form.content_type);
    }
    for (size_t i = 0; i < forms->count; i++)
        weft_release(contents[i].data);
    return status;
}

static int add_user(struct get_body *body, const char *text)
{
    size_t length = strlen(text), user = strcspn(text, ":");

    body->user = weft_allocate(length + 2);
    if (!body->user)
        return EXIT_FAILED;
    memcpy(body->user, text, length + 1);
    body->user[length + 1] = '\0';
    body->password = body->user + (user < length ? user + 1 : length + 1);
    body->user[user] = '\0';
    return EXIT_DONE;
}

int get_body_init(struct get_body *body, weft_loop *loop, const struct get_options *options)
{
    int bodies = (options->data.count > 0) + (options->forms.count > 0) + (options->upload != NULL);
    int status = EXIT_DONE, opened = 0;

    memset(body, 0, sizeof *body);
    body->upload.fd = body->upload.wake.fd = -1;
    if (bodies > 1 || (bodies > 0 && options->head))
        return complain("--data, --form, --upload and --head", "only one of them can be sent");
    for (size_t i = 0; i < options->headers.count && status == EXIT_DONE; i++)
        status = add_header(body, options->headers.items[i]);
    if (status == EXIT_DONE && options->user)
        status = add_user(body, options->user);
    if (status == EXIT_DONE && options->data.count > 0)
        status = add_data(body, &options->data);
    if (status == EXIT_DONE && options->forms.count > 0)
        status = add_forms(body, loop, &options->forms);
    if (status == EXIT_DONE && options->upload)
        opened = get_input_open(&body->upload, options->upload);
    if (opened < 0) {
        complain(options->upload, weft_error_text(opened));
        return EXIT_FAILED;
    }
    return status;
}

void get_body_fini(struct get_body *body)
{
    if (body->user)
        weft_secret_clear(body->user, strlen(body->user) + 1 + strlen(body->password));
    weft_release(body->user);
    weft_release(body->data);
    weft_http_form_fini(&body->form);
    get_input_close(&body->upload);
}
