/* SPDX-License-Identifier: MIT */
/* Bodies of forms. */
#include "support/support.h"

#include <stdio.h>
#include <string.h>

#include <weft/http_form.h>

static weft_loop *loop;

static int begin(void **state)
{
    weft_loop_options options = {.size = sizeof options, .backend = "sim:1", .watchdog = WEFT_NEVER};

    support_setup(state);
    assert_int_equal(weft_loop_new(&options, &loop), 0);
    return 0;
}

static int end(void **state)
{
    weft_loop_free(loop);
    return support_teardown(state);
}

#define test(function) cmocka_unit_test_setup_teardown(function, begin, end)
#define FIELD(n, v)                                   \
    {                                                 \
        .name = WEFT_BYTES(n), .value = WEFT_BYTES(v) \
    }

static void expect(weft_bytes found, const char *text)
{
    assert_int_equal(found.length, strlen(text));
    assert_memory_equal(found.data, text, found.length);
}

static void a_form_is_urlencoded(void **state)
{
    static const weft_http_form_field fields[] = {FIELD("a", "b c"), FIELD("&=", "%+\r\n\xc3\xa4"), FIELD("x*-._", ""),
                                                  FIELD("", "\0")};
    weft_http_form form;

    (void)state;
    assert_int_equal(weft_http_form_encode(fields, 4, &form), 0);
    expect(form.body, "a=b+c&%26%3D=%25%2B%0D%0A%C3%A4&x*-._=&=%00");
    expect(form.content_type, "application/x-www-form-urlencoded");
    weft_http_form_fini(&form);
    assert_int_equal(weft_http_form_encode(NULL, 0, &form), 0);
    assert_int_equal(form.body.length, 0);
    weft_http_form_fini(&form);
}

static void a_file_cannot_be_urlencoded(void **state)
{
    static const weft_http_form_field field = {.name = WEFT_BYTES("a"), .file_name = WEFT_BYTES("f")};
    weft_http_form form;

    (void)state;
    assert_int_equal(weft_http_form_encode(&field, 1, &form), -EINVAL);
}

/* RFC 7578 §4; what would end the quotes or the line is encoded as browsers do it. */
static void a_form_has_parts(void **state)
{
    static const weft_http_form_field fields[] = {
        FIELD("plain", "value"),
        {.name = WEFT_BYTES("f\"\r\n"), .value = WEFT_BYTES("a\0b"), .file_name = WEFT_BYTES("x\".txt")},
        {.name = WEFT_BYTES("t"), .file_name = WEFT_BYTES("y"), .type = "text/plain"},
    };
    weft_http_form form;
    const char *boundary;
    char expected[1000];
    int length;

    (void)state;
    assert_int_equal(weft_http_form_multipart(loop, fields, 3, &form), 0);
    assert_true(weft_bytes_starts_with(form.content_type, weft_bytes_from("multipart/form-data; boundary=weft-")));
    boundary = form.content_type.data + 30;
    length = snprintf(expected, sizeof expected,
                      "--%s\r\nContent-Disposition: form-data; name=\"plain\"\r\n\r\nvalue\r\n"
                      "--%s\r\nContent-Disposition: form-data; name=\"f%%22%%0D%%0A\"; filename=\"x%%22.txt\"\r\n"
                      "Content-Type: application/octet-stream\r\n\r\na%cb\r\n"
                      "--%s\r\nContent-Disposition: form-data; name=\"t\"; filename=\"y\"\r\n"
                      "Content-Type: text/plain\r\n\r\n\r\n--%s--\r\n",
                      boundary, boundary, '\0', boundary, boundary);
    assert_int_equal(form.body.length, length);
    assert_memory_equal(form.body.data, expected, form.body.length);
    weft_http_form_fini(&form);
}

static void each_form_has_a_boundary_of_its_own(void **state)
{
    weft_http_form a, b;

    (void)state;
    assert_int_equal(weft_http_form_multipart(loop, NULL, 0, &a), 0);
    assert_int_equal(weft_http_form_multipart(loop, NULL, 0, &b), 0);
    assert_false(weft_bytes_equal(a.content_type, b.content_type));
    weft_http_form_fini(&a);
    weft_http_form_fini(&b);
}

static void a_type_that_cannot_be_sent_is_refused(void **state)
{
    static const weft_http_form_field field = {.name = WEFT_BYTES("a"), .type = "text/plain\r\nX: y"};
    weft_http_form form;

    (void)state;
    assert_int_equal(weft_http_form_multipart(loop, &field, 1, &form), -EINVAL);
}

static void make_both(void *arg)
{
    static const weft_http_form_field fields[] = {FIELD("a", "b"), FIELD("c", "d")};
    weft_http_form form;
    int status = weft_http_form_encode(fields, 2, &form);

    (void)arg;
    assert_true(status == 0 || (status == WEFT_ENOMEM && support_injected() > 0));
    if (status == 0)
        weft_http_form_fini(&form);
    status = weft_http_form_multipart(loop, fields, 2, &form);
    assert_true(status == 0 || (status == WEFT_ENOMEM && support_injected() > 0));
    if (status == 0)
        weft_http_form_fini(&form);
}

static void forms_survive_short_memory(void **state)
{
    (void)state;
    (void)support_torture(make_both, NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        test(a_form_is_urlencoded),
        test(a_file_cannot_be_urlencoded),
        test(a_form_has_parts),
        test(each_form_has_a_boundary_of_its_own),
        test(a_type_that_cannot_be_sent_is_refused),
        test(forms_survive_short_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
