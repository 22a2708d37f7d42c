/* SPDX-License-Identifier: MIT */
/*
 * The scenario "http": the server of families/http with answers from memory,
 * from a file and piece by piece, clients of the family with a pool, and
 * clients that write requests as they like (scenario_http.h).
 *
 * Each client has exchanges to make, and repeats what fails until all of them
 * were answered, each with the bytes that were asked for.
 */
#include "scenario_http.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- what can be asked for -- */

static const char *const kinds[WEB_KINDS] = {"memory", "stream", "sized", "late", "file", "echo"};

/* Most are short; when the faults are over none is so long that a slow link takes minutes. */
static size_t draw_length(const struct scenario *scenario)
{
    uint64_t most = weft_sim_draw(scenario->sim, 8) > 0 ? 300 : 16384;

    if (weft_sim_draw(scenario->sim, 128) == 0 && !scenario->calm)
        most = WEB_LENGTH;
    return (size_t)weft_sim_draw(scenario->sim, most);
}

struct web_ask web_draw(const struct scenario *scenario, uint64_t key)
{
    static const enum web_kind often[] = {WEB_MEMORY, WEB_MEMORY, WEB_MEMORY, WEB_MEMORY, WEB_MEMORY,
                                          WEB_MEMORY, WEB_STREAM, WEB_STREAM, WEB_SIZED,  WEB_SIZED,
                                          WEB_LATE,   WEB_FILE,   WEB_ECHO,   WEB_ECHO};
    struct web_ask ask = {.kind = often[weft_sim_draw(scenario->sim, sizeof often / sizeof *often)], .key = key};

    ask.length = draw_length(scenario);
    if (ask.kind == WEB_FILE)
        ask = (struct web_ask){.kind = WEB_FILE, .key = WEB_FILE_KEY, .length = WEB_FILE_LENGTH};
    return ask;
}

int web_target(const struct web_ask *ask, char *text, size_t size)
{
    if (ask->kind == WEB_FILE)
        return snprintf(text, size, "/file");
    return snprintf(text, size, "/%s/%llu/%zu", kinds[ask->kind], (unsigned long long)ask->key, ask->length);
}

bool web_parse(weft_bytes target, struct web_ask *ret)
{
    char text[WEB_TARGET], kind[8] = "";
    unsigned long long key;
    size_t length;

    if (target.length >= sizeof text)
        return false;
    memcpy(text, target.data, target.length);
    text[target.length] = '\0';
    if (sscanf(text, "/%7[a-z]/%llu/%zu", kind, &key, &length) != 3 || length > WEB_LENGTH)
        return false;
    for (int i = 0; i < WEB_KINDS; i++)
        if (strcmp(kind, kinds[i]) == 0) {
            *ret = (struct web_ask){.kind = (enum web_kind)i, .key = key, .length = length};
            return true;
        }
    return false;
}

bool web_is_trouble(unsigned status)
{
    return status == 408 || status == 500 || status == 503;
}

/* -- the folder that is served -- */

#define FOLDER 64

static void remove_folder(const char *folder)
{
    char path[FOLDER + 8];

    snprintf(path, sizeof path, "%s/file", folder);
    (void)unlink(path);
    (void)rmdir(folder);
}

/* (Its time is fixed, since it is part of what is sent.) */
static int write_file(const char *folder)
{
    static const struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    weft_bytes bytes = scenario_bytes(WEB_FILE_KEY, 0, WEB_FILE_LENGTH);
    char path[FOLDER + 8];
    int fd, status = 0;

    snprintf(path, sizeof path, "%s/file", folder);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    if (write(fd, bytes.data, bytes.length) != (ssize_t)bytes.length)
        status = -EIO;
    else if (futimens(fd, times) < 0)
        status = -errno;
    close(fd);
    return status;
}

/* -- the run -- */

static int begin(struct scenario *scenario, const weft_sim_plan *plan)
{
    unsigned exchanges = (plan->messages / 2 + plan->connections - 1) / plan->connections;
    unsigned users = plan->connections / 2, raws = plan->connections - users;
    int status = web_pool_begin(scenario, 0, 0, users / 2, exchanges);

    if (status == 0 && users > users / 2)
        status = web_pool_begin(scenario, 1, users / 2, users - users / 2, exchanges);
    for (unsigned i = 0; status == 0 && i < raws; i++) {
        struct web_raw *raw = weft_scope_allocate(scenario_scope(scenario, i), web_raw_size());
        status = raw ? web_raw_begin(raw, scenario, users + i, exchanges) : WEFT_ENOMEM;
    }
    return status;
}

static int run_in(weft_sim *sim, const weft_sim_plan *plan, char *folder)
{
    static char program[] = "web", anywhere[] = "tcp://:80", *arguments[4];
    struct scenario *scenario = scenario_new(sim, sizeof *scenario);
    int status;

    if (!scenario)
        return WEFT_ENOMEM;
    arguments[0] = program;
    arguments[1] = folder;
    arguments[2] = anywhere;
    status = scenario_serve(scenario, "web.example", web_main, arguments);
    if (status == 0)
        status = begin(scenario, plan);
    return status < 0 ? status : scenario_run(scenario);
}

static int run(weft_sim *sim, const weft_sim_plan *plan)
{
    static char folder[FOLDER];
    int status;

    snprintf(folder, sizeof folder, "/tmp/weft-scenario-XXXXXX");
    if (!mkdtemp(folder))
        return -errno;
    web_serve_in(sim);
    status = write_file(folder);
    if (status == 0)
        status = run_in(sim, plan, folder);
    remove_folder(folder);
    return status;
}

static const char *const probes[] = {
    "http client: a kept connection was dead, and the request is tried again",
    "http client: an end was held back by a pause",
    "http client: another address of the server is tried",
    "http client: the server ended a kept connection",
    "http server: a request's body is too slow",
    "http server: a request's end was read before a pause",
    "http server: a response waits for its client",
    "http server: lost before it answered",
    "http server: lost in the middle of a response",
    "listener: exhausted",
    "loop: tasks were left to the next turn",
    "loop: timers were left to the next turn",
    "sim: a delivery after a stop",
    "sim: a full backlog",
    "sim: a silent peer was given up",
    "sim: no descriptor to accept with",
    "stream: a peer takes nothing any more",
    "stream: a peer that is slow takes something",
    "stream: broken while it was closing",
    "stream: broken while something was to be read",
    "stream: bytes came after its close",
    "stream: idle for too long",
    "stream: input kept over a pause",
    "stream: lost before its handle came home",
    "stream: lost while a write was queued",
    "stream: lost while input waited",
    "stream: what was lent had to be copied",
    "stream: what was staged did not go out at once",
    NULL,
};

const weft_sim_scenario scenario_http = {
    .size = sizeof(weft_sim_scenario),
    .name = "http",
    .summary = "an HTTP server with answers of all kinds, clients with pools, and clients that write what they like",
    .probes = probes,
    .plan = {.size = sizeof(weft_sim_plan), .connections = 20, .messages = 1000},
    .run = run,
};
