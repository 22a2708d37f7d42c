/* SPDX-License-Identifier: MIT */
/*
 * libcurl's multi interface in its fastest form: curl_multi_socket_action on an epoll loop, an easy handle for each
 * connection that is used again and again. Bodies are gathered in memory, as Weft's short form does.
 */
#include <curl/curl.h>
#include <sys/epoll.h>

#include "client.h"

struct fetch {
    CURL *easy;
    char *body;
    size_t length, room;
};

static struct job job;
static CURLM *multi;
static struct fetch fetches[MOST_CONNECTIONS];
static int epoll;
static double timeout_at = -1; /* -1: none */

static size_t take(char *data, size_t size, size_t count, void *arg)
{
    struct fetch *fetch = arg;
    size_t length = size * count;

    if (fetch->length + length > fetch->room) {
        fetch->room = (fetch->length + length) * 2;
        fetch->body = need(realloc(fetch->body, fetch->room));
    }
    memcpy(fetch->body + fetch->length, data, length);
    fetch->length += length;
    return length;
}

static int socket_wanted(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    struct epoll_event event = {.data.fd = fd};

    (void)easy;
    (void)arg;
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
    (void)epoll_ctl(epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    curl_multi_assign(multi, fd, &epoll); /* known from now on */
    return 0;
}

static int timer_wanted(CURLM *of, long milliseconds, void *arg)
{
    (void)of;
    (void)arg;
    timeout_at = milliseconds < 0 ? -1 : wall_seconds() + (double)milliseconds / 1000;
    return 0;
}

static void fetch_start(struct fetch *fetch)
{
    fetch->length = 0;
    curl_multi_add_handle(multi, fetch->easy);
}

static void fetch_init(struct fetch *fetch)
{
    fetch->easy = need(curl_easy_init());
    curl_easy_setopt(fetch->easy, CURLOPT_URL, job.url);
    curl_easy_setopt(fetch->easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(fetch->easy, CURLOPT_WRITEDATA, fetch);
    curl_easy_setopt(fetch->easy, CURLOPT_PRIVATE, fetch);
    curl_easy_setopt(fetch->easy, CURLOPT_NOSIGNAL, 1L);
    fetch_start(fetch);
}

static void finish(CURLMsg *message)
{
    struct fetch *fetch;
    long status = 0;

    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&fetch);
    curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
    if (message->data.result != CURLE_OK) {
        fprintf(stderr, "curl_client: %s\n", curl_easy_strerror(message->data.result));
        exit(1);
    }
    check_answer(&job, status, fetch->length);
    job.requests++;
    curl_multi_remove_handle(multi, fetch->easy);
    fetch_start(fetch);
}

static void turn(void)
{
    struct epoll_event events[64];
    int running, left, wait = timeout_at < 0 ? 100 : (int)((timeout_at - wall_seconds()) * 1000);
    int count = epoll_wait(epoll, events, 64, wait < 0 ? 0 : wait);
    CURLMsg *message;

    for (int i = 0; i < count; i++)
        curl_multi_socket_action(multi, events[i].data.fd,
                                 (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                                     (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0),
                                 &running);
    if (timeout_at >= 0 && wall_seconds() >= timeout_at) {
        timeout_at = -1;
        curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    while ((message = curl_multi_info_read(multi, &left)))
        if (message->msg == CURLMSG_DONE)
            finish(message);
}

static void turns_for(double seconds)
{
    double until = wall_seconds() + seconds;

    while (wall_seconds() < until)
        turn();
}

int main(int argc, char **argv)
{
    job = job_from(argc, argv);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = need(curl_multi_init());
    epoll = epoll_create1(EPOLL_CLOEXEC);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)MOST_CONNECTIONS);
    for (size_t i = 0; i < job.connections; i++)
        fetch_init(&fetches[i]);
    turns_for(job.warm_up);
    job_starts(&job);
    turns_for(job.seconds);
    job_ends(&job);
}
