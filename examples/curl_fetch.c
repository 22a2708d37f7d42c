/* SPDX-License-Identifier: MIT */
/* Transfers of libcurl, all at once, awaited in a task: usage: curl_fetch URL... */
#include <stdio.h>
#include <stdlib.h>

#include <weft/adapters/curl.h>
#include <weft/weft.h>

struct fetch {
    CURL *easy;
    size_t bytes;
    weft_curl_result result;
};

struct request {
    char **urls;
    int count;
};

static size_t measure(char *bytes, size_t size, size_t count, void *total)
{
    (void)bytes;
    *(size_t *)total += size * count;
    return size * count;
}

static void begin(struct fetch *fetch, weft_curl *curl, const char *url)
{
    fetch->easy = curl_easy_init();
    curl_easy_setopt(fetch->easy, CURLOPT_URL, url);
    curl_easy_setopt(fetch->easy, CURLOPT_WRITEFUNCTION, measure);
    curl_easy_setopt(fetch->easy, CURLOPT_WRITEDATA, &fetch->bytes);
    fetch->result = weft_curl_perform(curl, fetch->easy);
}

static int finish(struct fetch *fetch, const char *url)
{
    CURLcode result = CURLE_OK;
    int status = weft_await(fetch->result, &result);

    if (status < 0)
        printf("%s: %s\n", url, weft_error_text(status));
    else if (result != CURLE_OK)
        printf("%s: %s\n", url, curl_easy_strerror(result));
    else
        printf("%s: %zu bytes\n", url, fetch->bytes);
    curl_easy_cleanup(fetch->easy);
    return status;
}

static int fetch_all(weft_task *me, void *arg)
{
    const struct request *request = arg;
    struct fetch *fetches = calloc((size_t)request->count, sizeof *fetches);
    weft_curl *curl;
    int status = fetches ? weft_curl_new(weft_task_scope(me), &curl) : WEFT_ENOMEM;

    if (status == 0) {
        for (int i = 0; i < request->count; i++)
            begin(&fetches[i], curl, request->urls[i]);
        for (int i = 0; i < request->count; i++)
            status = finish(&fetches[i], request->urls[i]);
        weft_curl_free(curl);
    }
    free(fetches);
    return status;
}

int main(int argc, char **argv)
{
    struct request request = {argv + 1, argc - 1};

    return weft_run(fetch_all, &request);
}
