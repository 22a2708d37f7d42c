/* SPDX-License-Identifier: MIT */
/* Tasks that wait for what nothing can bring any more (weft_sim_stuck). */
#include "sim/sim_internal.h"

#include <stdio.h>
#include <string.h>

#include "async/task_internal.h"

/* A walk over the tasks of a world. */
struct search {
    const weft_sim *sim;
    void (*visit)(const weft_task *task, struct search *search);
    const weft_task *awaiting; /* a task, of which is asked whether it waits for another */
    bool found;
    size_t count;
    weft_dump_line *line;
    void *arg;
    const char *host;
};

static void visit_member(const weft_scope_member *member, unsigned depth, void *arg)
{
    struct search *search = arg;

    (void)depth;
    if (strcmp(member->class_->kind, "task") == 0)
        search->visit(weft_container_of(member, const weft_task, member), search);
}

static void visit_all(struct search *search)
{
    const weft_link *hosts = &search->sim->world.hosts;

    for (const weft_link *at = hosts->next; at != hosts; at = at->next) {
        const struct sim_host *host = weft_container_of(at, const struct sim_host, link);

        search->host = host->name;
        for (const weft_link *link = host->backends.next; link != &host->backends; link = link->next) {
            const struct sim_backend *backend = weft_container_of(link, const struct sim_backend, link);
            scope_walk(weft_container_of(backend->base.host, const weft_loop, host)->root, visit_member, search);
        }
    }
}

static void is_awaited(const weft_task *task, struct search *search)
{
    if (task->done && task->done->waiter == &search->awaiting->deferred_waiter)
        search->found = true;
}

/* Whether it waits for another task's end: then that one is the one to be looked at. */
static bool awaits_task(const weft_sim *sim, const weft_task *task)
{
    struct search search = {.sim = sim, .visit = is_awaited, .awaiting = task};

    visit_all(&search);
    return search.found;
}

/* Servers wait for whoever comes; who sleeps for ever means it; and of a scope others are stuck, who are in it. */
static bool waits_on_purpose(const weft_task *task)
{
    static const char *const purposes[] = {"a connection", "time", "a scope"};

    for (size_t i = 0; i < sizeof purposes / sizeof *purposes; i++)
        if (strcmp(task->waits, purposes[i]) == 0)
            return true;
    return false;
}

static void tell(const weft_task *task, struct search *search)
{
    char about[384], text[512];

    task->member.class_->describe(&task->member, about, sizeof about);
    snprintf(text, sizeof text, "%s: task%s", search->host, about);
    search->line(text, search->arg);
}

static void look_at(const weft_task *task, struct search *search)
{
    if (!task->waits || waits_on_purpose(task) || awaits_task(search->sim, task))
        return;
    search->count++;
    if (search->line)
        tell(task, search);
}

size_t weft_sim_stuck(weft_sim *sim, weft_dump_line *line, void *arg)
{
    struct search search = {.sim = sim, .visit = look_at, .line = line, .arg = arg};

    if (sim_next_due(sim) != WEFT_NEVER)
        return 0;
    visit_all(&search);
    return search.count;
}
