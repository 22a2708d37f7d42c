/* SPDX-License-Identifier: MIT */
/**
 * @file
 * libcurl's transfers on a loop, each a deferred. Link weft-curl.
 */
#ifndef WEFT_ADAPTERS_CURL_H
#define WEFT_ADAPTERS_CURL_H

#include <curl/curl.h>

#include <weft/deferred.h>

WEFT_BEGIN_DECLS

/** Transfers that share connections, caches and limits: a CURLM on a loop. */
typedef struct weft_curl weft_curl;

/** How a transfer ended: CURLE_OK, or why it failed. */
WEFT_DEFERRED(weft_curl_result, CURLcode);

/**
 * Has the loop of @p scope drive a multi handle. When @p scope is cancelled or closed, the transfers are, too, and no
 * more can begin.
 * @param[out] ret_curl  *returned*, *until* @p scope is gone: the caller calls weft_curl_free before
 * @return 0; WEFT_ENOMEM; the reason if @p scope is cancelled
 */
WEFT_API WEFT_NODISCARD int weft_curl_new(weft_scope *scope, weft_curl **ret_curl);
/** Cancels all its transfers and frees it: at any time, but not from a callback of libcurl. NULL does nothing. */
WEFT_API void weft_curl_free(weft_curl *curl);
/** Its multi handle, for curl_multi_setopt; but CURLMOPT_SOCKETFUNCTION, CURLMOPT_TIMERFUNCTION and their data are
 *  taken. @return *until* weft_curl_free */
WEFT_API CURLM *weft_curl_multi(weft_curl *curl);

/**
 * Begins the transfer that @p easy describes. Cancelling the deferred ends it: at any time, also from a
 * callback of libcurl.
 * @param easy  *until* the deferred has fired; its CURLOPT_PRIVATE is taken. It is the caller's to clean up, not from a
 *              callback of libcurl.
 * @return a deferred that fails with WEFT_ECANCELED or WEFT_ENOMEM, or with -EINVAL if libcurl refuses @p easy
 */
WEFT_API weft_curl_result weft_curl_perform(weft_curl *curl, CURL *easy);

WEFT_END_DECLS

#endif
