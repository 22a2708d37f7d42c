/* SPDX-License-Identifier: MIT */
#include <weft/error.h>

#include <limits.h>
#include <string.h>

#include "support/support.h"

static void own_errors_have_name_text_and_class(void **state)
{
    (void)state;
#define CHECK(name, value, class_, text)                              \
    assert_int_equal(WEFT_##name, value);                             \
    assert_string_equal(weft_error_name(WEFT_##name), "WEFT_" #name); \
    assert_string_equal(weft_error_text(WEFT_##name), text);          \
    assert_int_equal(weft_error_class_of(WEFT_##name), WEFT_CLASS_##class_);
    WEFT_ERRORS(CHECK)
#undef CHECK
}

static void own_errors_lie_below_errno(void **state)
{
    (void)state;
#define CHECK(name, value, class_, text) assert_true((value) < -4095 && (value) > WEFT_ERROR_LAST_);
    WEFT_ERRORS(CHECK)
#undef CHECK
}

static void errno_values_have_their_names(void **state)
{
    (void)state;
    assert_string_equal(weft_error_name(-ENOENT), "ENOENT");
    assert_string_equal(weft_error_name(WEFT_ENOMEM), "ENOMEM");
    assert_string_equal(weft_error_name(-ECONNREFUSED), "ECONNREFUSED");
    assert_string_equal(weft_error_name(-EHWPOISON), "EHWPOISON");
    assert_string_equal(weft_error_text(-ENOENT), "No such file or directory");
}

static void every_errno_value_of_this_system_is_known(void **state)
{
    (void)state;
    for (int number = 1; number <= EHWPOISON; number++) {
        if (number == 41 || number == 58) /* EWOULDBLOCK and EDEADLOCK once were these; no error is */
            continue;
        assert_string_not_equal(weft_error_name(-number), "UNKNOWN");
        assert_string_not_equal(weft_error_text(-number), "unknown error");
    }
}

static void unknown_numbers_are_called_so(void **state)
{
    static const int unknown[] = {-4095, -4096, -4999, -5900, -6000, INT_MIN};

    (void)state;
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        assert_string_equal(weft_error_name(unknown[i]), "UNKNOWN");
        assert_string_equal(weft_error_text(unknown[i]), "unknown error");
    }
    assert_int_equal(weft_error_class_of(-5900), WEFT_CLASS_INTERNAL);
    assert_int_equal(weft_error_class_of(INT_MIN), WEFT_CLASS_INTERNAL);
    assert_int_equal(weft_error_class_of(-4095), WEFT_CLASS_IO);
}

static void success_is_no_error(void **state)
{
    static const int good[] = {0, 1, INT_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_string_equal(weft_error_name(good[i]), "OK");
        assert_string_equal(weft_error_text(good[i]), "success");
        assert_int_equal(weft_error_class_of(good[i]), WEFT_CLASS_NONE);
    }
}

static void errno_values_have_classes(void **state)
{
    static const struct {
        int error;
        weft_error_class class_;
    } rows[] = {
        {WEFT_ENOMEM, WEFT_CLASS_MEMORY},
        {WEFT_ECANCELED, WEFT_CLASS_CANCELLED},
        {WEFT_ETIMEDOUT, WEFT_CLASS_TIMEOUT},
        {-ETIME, WEFT_CLASS_TIMEOUT},
        {-ECONNRESET, WEFT_CLASS_CLOSED},
        {-ECONNABORTED, WEFT_CLASS_CLOSED},
        {-EPIPE, WEFT_CLASS_CLOSED},
        {-ESHUTDOWN, WEFT_CLASS_CLOSED},
        {-ENOTCONN, WEFT_CLASS_CLOSED},
        {-EPROTO, WEFT_CLASS_PROTOCOL},
        {-EBADMSG, WEFT_CLASS_PROTOCOL},
        {-EILSEQ, WEFT_CLASS_PROTOCOL},
        {-EMFILE, WEFT_CLASS_LIMIT},
        {-ENFILE, WEFT_CLASS_LIMIT},
        {-ENOBUFS, WEFT_CLASS_LIMIT},
        {-EDQUOT, WEFT_CLASS_LIMIT},
        {-EFBIG, WEFT_CLASS_LIMIT},
        {-EINVAL, WEFT_CLASS_USAGE},
        {-EBADF, WEFT_CLASS_USAGE},
        {-EFAULT, WEFT_CLASS_USAGE},
        {-ENOTSOCK, WEFT_CLASS_USAGE},
        {-EDESTADDRREQ, WEFT_CLASS_USAGE},
        {-EISCONN, WEFT_CLASS_USAGE},
        {-EALREADY, WEFT_CLASS_USAGE},
        {-EDOM, WEFT_CLASS_USAGE},
        {-ERANGE, WEFT_CLASS_USAGE},
        {-EOVERFLOW, WEFT_CLASS_USAGE},
        {-EIO, WEFT_CLASS_IO},
        {-ECONNREFUSED, WEFT_CLASS_IO},
        {-ENOSPC, WEFT_CLASS_IO},
        {-ENOENT, WEFT_CLASS_IO},
        {-EHOSTUNREACH, WEFT_CLASS_IO},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(weft_error_class_of(rows[i].error), rows[i].class_);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        support_test(own_errors_have_name_text_and_class), support_test(own_errors_lie_below_errno),
        support_test(errno_values_have_their_names),       support_test(every_errno_value_of_this_system_is_known),
        support_test(unknown_numbers_are_called_so),       support_test(success_is_no_error),
        support_test(errno_values_have_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
