/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE 1 /* strerrorname_np, strerrordesc_np: constants, unlike strerror */
#include <weft/error.h>

#include <string.h>

#define ERRNO_MAX 4095

static int errno_of(int error)
{
    return error < 0 && error >= -ERRNO_MAX ? -error : 0;
}

const char *weft_error_text(int error)
{
    switch (error) {
#define TEXT_CASE(name, value, class_, text) \
    case value:                              \
        return text;
        WEFT_ERRORS(TEXT_CASE)
#undef TEXT_CASE
    default:
        break;
    }
    if (error >= 0)
        return "success";
    if (error == -ETIMEDOUT)
        return "timed out"; /* the system's words are only about connections, and ours are about any deadline */
    const char *text = errno_of(error) ? strerrordesc_np(errno_of(error)) : NULL;
    return text ? text : "unknown error";
}

const char *weft_error_name(int error)
{
    switch (error) {
#define NAME_CASE(name, value, class_, text) \
    case value:                              \
        return "WEFT_" #name;
        WEFT_ERRORS(NAME_CASE)
#undef NAME_CASE
    default:
        break;
    }
    if (error >= 0)
        return "OK";
    const char *name = errno_of(error) ? strerrorname_np(errno_of(error)) : NULL;
    return name ? name : "UNKNOWN";
}

static weft_error_class class_of_errno(int number)
{
    switch (number) {
    case ENOMEM:
        return WEFT_CLASS_MEMORY;
    case ECANCELED:
        return WEFT_CLASS_CANCELLED;
    case ETIMEDOUT:
    case ETIME:
        return WEFT_CLASS_TIMEOUT;
    /* The peer, or what lies between, ended a connection that existed. */
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case ESHUTDOWN:
    case ENOTCONN:
        return WEFT_CLASS_CLOSED;
    case EPROTO:
    case EBADMSG:
    case EILSEQ:
        return WEFT_CLASS_PROTOCOL;
    /* Somebody set these limits: descriptors, socket buffers, quotas, file sizes. */
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case EDQUOT:
    case EFBIG:
        return WEFT_CLASS_LIMIT;
    case EINVAL:
    case E2BIG:
    case EBADF:
    case EFAULT:
    case ENOTSOCK:
    case EDESTADDRREQ:
    case EISCONN:
    case EALREADY:
    case EDOM:
    case ERANGE:
    case EOVERFLOW:
        return WEFT_CLASS_USAGE;
    default:
        return WEFT_CLASS_IO;
    }
}

weft_error_class weft_error_class_of(int error)
{
    switch (error) {
#define CLASS_CASE(name, value, class_, text) \
    case value:                               \
        return WEFT_CLASS_##class_;
        WEFT_ERRORS(CLASS_CASE)
#undef CLASS_CASE
    default:
        break;
    }
    if (error >= 0)
        return WEFT_CLASS_NONE;
    return errno_of(error) ? class_of_errno(errno_of(error)) : WEFT_CLASS_INTERNAL;
}
