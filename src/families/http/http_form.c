/* SPDX-License-Identifier: MIT */
/* Bodies of HTML forms (weft/http_form.h). */
#include <weft/http_form.h>

#include <stdio.h>

#include <weft/memory.h>
#include <weft/wire/http1.h>

#include "families/http/http_text.h"

#define BOUNDARY "weft-"
#define RANDOM_BYTES 16

/* The memory of @p text becomes the form's. */
static int finish(weft_http_form *form, struct http_text *text)
{
    int status = text->error;

    if (status < 0)
        http_text_release(text);
    else
        form->body = weft_bytes_of(text->data, text->length);
    return status;
}

void weft_http_form_fini(weft_http_form *form)
{
    weft_release((void *)(uintptr_t)form->body.data);
    form->body = weft_bytes_of(NULL, 0);
}

/* -- application/x-www-form-urlencoded -- */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '*' || c == '-' ||
           c == '.' || c == '_';
}

static void append_encoded(struct http_text *text, weft_bytes bytes)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < bytes.length; i++) {
        unsigned char c = (unsigned char)bytes.data[i];
        char encoded[3] = {'%', digits[c >> 4], digits[c & 15]};

        if (is_plain((char)c))
            http_text_append(text, weft_bytes_of(bytes.data + i, 1));
        else if (c == ' ')
            http_text_append_string(text, "+");
        else
            http_text_append(text, weft_bytes_of(encoded, 3));
    }
}

int weft_http_form_encode(const weft_http_form_field *fields, size_t count, weft_http_form *ret_form)
{
    struct http_text text = {0};
    weft_http_form form = {.type = "application/x-www-form-urlencoded"};
    int status;

    for (size_t i = 0; i < count; i++)
        if (fields[i].file_name.length > 0)
            return -EINVAL;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            http_text_append_string(&text, "&");
        append_encoded(&text, fields[i].name);
        http_text_append_string(&text, "=");
        append_encoded(&text, fields[i].value);
    }
    status = finish(&form, &text);
    if (status < 0)
        return status;
    *ret_form = form;
    ret_form->content_type = weft_bytes_from(ret_form->type);
    return 0;
}

/* -- multipart/form-data -- */

/* As browsers do (WHATWG HTML §4.10.21.8): what would end the quotes or the line is percent-encoded. */
static void append_quoted(struct http_text *text, const char *before, weft_bytes name)
{
    http_text_append_string(text, before);
    http_text_append_string(text, "=\"");
    for (size_t i = 0; i < name.length; i++) {
        char c = name.data[i];

        if (c == '"')
            http_text_append_string(text, "%22");
        else if (c == '\r')
            http_text_append_string(text, "%0D");
        else if (c == '\n')
            http_text_append_string(text, "%0A");
        else
            http_text_append(text, weft_bytes_of(&c, 1));
    }
    http_text_append_string(text, "\"");
}

static void append_part(struct http_text *text, const char *boundary, const weft_http_form_field *field)
{
    const char *type = field->type;

    if (!type && field->file_name.length > 0)
        type = "application/octet-stream";
    http_text_append_string(text, "--");
    http_text_append_string(text, boundary);
    append_quoted(text, "\r\nContent-Disposition: form-data; name", field->name);
    if (field->file_name.length > 0)
        append_quoted(text, "; filename", field->file_name);
    if (type) {
        http_text_append_string(text, "\r\nContent-Type: ");
        http_text_append_string(text, type);
    }
    http_text_append_string(text, "\r\n\r\n");
    http_text_append(text, field->value);
    http_text_append_string(text, "\r\n");
}

static int make_boundary(weft_loop *loop, char *boundary, size_t size)
{
    unsigned char random[RANDOM_BYTES];
    int status = weft_loop_entropy(loop, random, sizeof random);
    size_t length = (size_t)snprintf(boundary, size, BOUNDARY);

    for (size_t i = 0; status == 0 && i < sizeof random; i++)
        length += (size_t)snprintf(boundary + length, size - length, "%02x", random[i]);
    return status;
}

int weft_http_form_multipart(weft_loop *loop, const weft_http_form_field *fields, size_t count,
                             weft_http_form *ret_form)
{
    char boundary[sizeof BOUNDARY + 2 * RANDOM_BYTES];
    struct http_text text = {0};
    weft_http_form form = {0};
    int status = make_boundary(loop, boundary, sizeof boundary);

    for (size_t i = 0; i < count && status == 0; i++)
        if (fields[i].type && !weft_http1_is_value(weft_bytes_from(fields[i].type)))
            status = -EINVAL;
    if (status < 0)
        return status;
    for (size_t i = 0; i < count; i++)
        append_part(&text, boundary, &fields[i]);
    http_text_append_string(&text, "--");
    http_text_append_string(&text, boundary);
    http_text_append_string(&text, "--\r\n");
    snprintf(form.type, sizeof form.type, "multipart/form-data; boundary=%s", boundary);
    status = finish(&form, &text);
    if (status < 0)
        return status;
    *ret_form = form;
    ret_form->content_type = weft_bytes_from(ret_form->type);
    return 0;
}
