/* SPDX-License-Identifier: MIT */
/* What OpenSSL says in its queue of errors, as one of Weft's numbers and a story. */
#include "net/tls_internal.h"

#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>

static const struct {
    int reason, error;
} known[] = {
    {SSL_R_HTTP_REQUEST, WEFT_ETLSRECORD},
    {SSL_R_HTTPS_PROXY_REQUEST, WEFT_ETLSRECORD},
    {SSL_R_WRONG_VERSION_NUMBER, WEFT_ETLSRECORD},
    {SSL_R_BAD_RECORD_TYPE, WEFT_ETLSRECORD},
    {SSL_R_PACKET_LENGTH_TOO_LONG, WEFT_ETLSRECORD},
    {SSL_R_DATA_LENGTH_TOO_LONG, WEFT_ETLSRECORD},
    {SSL_R_ENCRYPTED_LENGTH_TOO_LONG, WEFT_ETLSRECORD},
    {SSL_R_RECORD_LENGTH_MISMATCH, WEFT_ETLSRECORD},
    {SSL_R_RECORD_TOO_SMALL, WEFT_ETLSRECORD},
    {SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, WEFT_ETLSRECORD},
    {SSL_R_LENGTH_TOO_SHORT, WEFT_ETLSRECORD},
    {SSL_R_BAD_PACKET_LENGTH, WEFT_ETLSRECORD},
    {SSL_R_UNEXPECTED_RECORD, WEFT_ETLSRECORD},
    {SSL_R_TOO_MANY_WARN_ALERTS, WEFT_ETLSFLOOD},
    {SSL_R_UNSUPPORTED_PROTOCOL, WEFT_ETLSPROFILE},
    {SSL_R_VERSION_TOO_LOW, WEFT_ETLSPROFILE},
    {SSL_R_VERSION_TOO_HIGH, WEFT_ETLSPROFILE},
    {SSL_R_UNSUPPORTED_SSL_VERSION, WEFT_ETLSPROFILE},
    {SSL_R_INAPPROPRIATE_FALLBACK, WEFT_ETLSPROFILE},
    {SSL_R_NO_PROTOCOLS_AVAILABLE, WEFT_ETLSPROFILE},
    {SSL_R_NO_SHARED_CIPHER, WEFT_ETLSPROFILE},
    {SSL_R_NO_SHARED_GROUPS, WEFT_ETLSPROFILE},
    {SSL_R_NO_SUITABLE_KEY_SHARE, WEFT_ETLSPROFILE},
    {SSL_R_NO_SUITABLE_GROUPS, WEFT_ETLSPROFILE},
    {SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, WEFT_ETLSPROFILE},
    {SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, WEFT_ETLSPROFILE},
    {SSL_R_WRONG_SIGNATURE_TYPE, WEFT_ETLSPROFILE},
    {SSL_R_DH_KEY_TOO_SMALL, WEFT_ETLSWEAK},
    {SSL_R_EE_KEY_TOO_SMALL, WEFT_ETLSWEAK},
    {SSL_R_CA_KEY_TOO_SMALL, WEFT_ETLSWEAK},
    {SSL_R_CA_MD_TOO_WEAK, WEFT_ETLSWEAK},
    {SSL_R_NO_APPLICATION_PROTOCOL, WEFT_ETLSALPN},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, WEFT_ETLSNOCERTIFICATE},
    {ERR_R_MALLOC_FAILURE, WEFT_ENOMEM},
};

/* From here on a reason is an alert that the peer sent. */
static bool is_alert(unsigned long code)
{
    int reason = ERR_GET_REASON(code);

    return ERR_GET_LIB(code) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET && reason <= SSL_AD_REASON_OFFSET + 255;
}

static int number_of(unsigned long code, int otherwise)
{
    if (is_alert(code))
        return WEFT_ETLSALERT;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].reason == ERR_GET_REASON(code))
            return known[i].error;
    return otherwise;
}

static void describe(unsigned long code, const char *data, char *buffer, size_t size)
{
    const char *text = ERR_reason_error_string(code);

    if (is_alert(code))
        snprintf(buffer, size, "the peer's %s (%d)", text ? text : "alert",
                 ERR_GET_REASON(code) - SSL_AD_REASON_OFFSET);
    else
        snprintf(buffer, size, "%s%s%s", text ? text : "unknown", data && *data ? ": " : "", data ? data : "");
}

int tls_error_set(struct tls_layer *layer, int error, const char *format, ...)
{
    char text[512];
    va_list args;

    if (layer->failure)
        return weft_failure_error(layer->failure);
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    layer->failure = weft_failure_new(error, NULL, "%s", text);
    return error;
}

int tls_error_take(struct tls_layer *layer, const char *doing)
{
    const char *data = NULL;
    unsigned long code = ERR_peek_last_error_all(NULL, NULL, NULL, &data, NULL);
    char text[256];
    int error = layer->error;

    describe(code, data, text, sizeof text);
    if (error == 0)
        error = number_of(code, layer->flags & TLS_READY ? WEFT_ETLSRECORD : WEFT_ETLSHANDSHAKE);
    ERR_clear_error();
    return tls_error_set(layer, error, "%s: %s", doing, text);
}

int tls_error_setup(int error, weft_failure **ret_failure, const char *format, ...)
{
    const char *data = NULL;
    unsigned long code = ERR_peek_last_error_all(NULL, NULL, NULL, &data, NULL);
    char text[512], reason[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (code != 0) {
        if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
            error = WEFT_ENOMEM;
        describe(code, data, reason, sizeof reason);
        ERR_clear_error();
    }
    if (ret_failure)
        *ret_failure = code != 0 ? weft_failure_new(error, NULL, "%s (%s)", text, reason)
                                 : weft_failure_new(error, NULL, "%s", text);
    return error;
}
