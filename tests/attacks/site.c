/* SPDX-License-Identifier: MIT */
#include "attacks/site.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weft/listener.h>

void site_open(struct site *site)
{
    weft_loop_options loop = {.size = sizeof loop, .backend = support_engine(), .watchdog = WEFT_NEVER};

    *site = (struct site){.place = "/tmp/weft-attack-XXXXXX"};
    assert_non_null(mkdtemp(site->place));
    assert_int_equal(weft_loop_new(&loop, &site->loop), 0);
    assert_int_equal(weft_directory_open(site->place, &site->directory), 0);
    assert_int_equal(weft_http_files_new(site->directory, NULL, &site->files), 0);
    assert_int_equal(weft_http_server_new(site->loop, weft_http_files_handler(site->files), NULL, &site->server), 0);
    assert_int_equal(weft_listen(weft_loop_scope(site->loop), "tcp://127.0.0.1:0",
                                 weft_http_server_factory(site->server, NULL, NULL), NULL, &site->listener, NULL),
                     0);
}

void site_close(struct site *site)
{
    char command[100];

    weft_loop_free(site->loop);
    weft_http_server_free(site->server);
    weft_http_files_free(site->files);
    weft_directory_unref(site->directory);
    snprintf(command, sizeof command, "rm -rf '%s'", site->place);
    assert_int_equal(system(command), 0);
}

char site_byte(size_t offset)
{
    return (char)(offset % 251);
}

void site_write(const struct site *site, const char *name, size_t length)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", site->place, name);
    file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < length; i++)
        putc(site_byte(i), file);
    assert_int_equal(fclose(file), 0);
}

static int connect_to(struct site *site)
{
    char url[WEFT_LISTENER_URL];
    struct sockaddr_in name = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    weft_listener_url(site->listener, NULL, url);
    name.sin_port = htons((uint16_t)strtoul(strrchr(url, ':') + 1, NULL, 10));
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof name), 0);
    return fd;
}

/* Returns whether more may come. */
static bool receive(int fd, struct site_answer *answer)
{
    static char buffer[65536];
    ssize_t count = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);

    if (count < 0 && errno == EAGAIN) {
        sched_yield();
        return true;
    }
    if (count <= 0) {
        answer->end = count < 0 ? errno : 0;
        return false;
    }
    answer->data = realloc(answer->data, answer->length + (size_t)count + 1);
    assert_non_null(answer->data);
    memcpy(answer->data + answer->length, buffer, (size_t)count);
    answer->length += (size_t)count;
    answer->data[answer->length] = '\0';
    return true;
}

struct site_answer site_ask(struct site *site, const char *request)
{
    struct site_answer answer = {0};
    size_t length = strlen(request);
    int fd = connect_to(site);

    assert_int_equal(send(fd, request, length, MSG_NOSIGNAL), length);
    while (receive(fd, &answer))
        assert_true(weft_loop_step(site->loop) >= 0);
    close(fd);
    return answer;
}

const char *site_body(const struct site_answer *answer, size_t *ret_length)
{
    const char *end = answer->data ? strstr(answer->data, "\r\n\r\n") : NULL;

    assert_non_null(end);
    *ret_length = answer->length - (size_t)(end + 4 - answer->data);
    return end + 4;
}

size_t site_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}
