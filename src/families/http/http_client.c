/* SPDX-License-Identifier: MIT */
/* A client: its options, who waits for a connection, its end (http_client.h). */
#include "families/http/http_client.h"

#include <weft/memory.h>
#include <weft/tls.h>

#include "base/options.h"

static const weft_http_client_options defaults = {
    .user_agent = "weft/" WEFT_VERSION,
    .connections = 128,
    .per_host = 8,
    .waiting = 10000,
    .uses = WEFT_UNLIMITED,
    .idle_time = WEFT_SECONDS(30),
    .wait_time = WEFT_SECONDS(60),
    .name_time = WEFT_SECONDS(15),
    .connect_time = WEFT_SECONDS(30),
    .send_time = WEFT_SECONDS(30),
    .continue_time = WEFT_SECONDS(1),
    .head_time = WEFT_SECONDS(60),
    .body_time = WEFT_SECONDS(60),
    .head_bytes = 64 * 1024,
    .field_count = 256,
    .interim = 32,
};

#define OR_DEFAULT(name) options->name = options->name ? options->name : defaults.name

static void set_defaults(weft_http_client_options *options)
{
    OR_DEFAULT(user_agent);
    OR_DEFAULT(connections);
    OR_DEFAULT(per_host);
    OR_DEFAULT(waiting);
    OR_DEFAULT(uses);
    OR_DEFAULT(idle_time);
    OR_DEFAULT(wait_time);
    OR_DEFAULT(name_time);
    OR_DEFAULT(connect_time);
    OR_DEFAULT(send_time);
    OR_DEFAULT(continue_time);
    OR_DEFAULT(head_time);
    OR_DEFAULT(body_time);
    OR_DEFAULT(head_bytes);
    OR_DEFAULT(field_count);
    OR_DEFAULT(interim);
}

/* -- who waits for a connection -- */

/* An idle connection to its host, unless it must be a new one. */
static struct http_link *idle_link(const weft_http_request *request)
{
    struct http_pool_place *place;

    if (request->flags & REQUEST_REPEATED)
        return NULL;
    place = http_pool_idle(request->host);
    return place ? http_link_at(place) : NULL;
}

static void use_again(weft_http_request *request, struct http_link *link)
{
    http_pool_take(&link->place);
    link->flags &= ~(uint32_t)LINK_IDLE;
    request->client->loop->waiting++; /* an idle one is nothing that the loop waits for */
    weft_counter_increment(&request->client->reused);
    link->request = request;
    request->link = link;
    http_request_unqueue(request);
    http_link_begin(link);
}

/* Makes room among those of other hosts, or, for one that must have a new connection, of its own. */
static bool make_room(weft_http_request *request)
{
    struct http_pool_host *host = request->host;
    struct http_pool_place *place = http_pool_victim(host);

    if (!place && (request->flags & REQUEST_REPEATED))
        place = http_pool_idle(host);
    if (!place)
        return false;
    http_link_drop(http_link_at(place));
    return true;
}

static bool serve(weft_http_request *request)
{
    struct http_link *link = idle_link(request);
    int status;

    if (link) {
        use_again(request, link);
        return true;
    }
    if (!http_pool_claim(request->host)) {
        (void)make_room(request); /* its end calls here again */
        return false;
    }
    http_request_unqueue(request);
    status = http_link_open(request);
    if (status < 0)
        http_request_finish(request, status);
    return true;
}

/* In their order; one that cannot be served lets those to other hosts pass. What is called meanwhile (`allow`, `drained`)
 * may end any of them, and start others, which are for the next turn. */
static void serve_waiting(weft_http_client *client)
{
    weft_link todo, left;

    weft_link_init(&todo);
    weft_link_init(&left);
    weft_link_splice(&todo, &client->waiting);
    while (!weft_link_is_alone(&todo)) {
        weft_http_request *request = weft_container_of(todo.next, weft_http_request, place);

        weft_link_remove(&request->place);
        weft_link_insert_before(&left, &request->place);
        if (!serve(request) && client->pool.connections >= client->pool.most)
            break;
    }
    weft_link_splice(&left, &todo);
    weft_link_splice(&left, &client->waiting);
    weft_link_splice(&client->waiting, &left);
}

/* -- its end -- */

static void client_free(struct loop_task *task)
{
    weft_http_client *client = weft_container_of(task, weft_http_client, task);

    http_pool_fini(&client->pool);
    weft_counter_remove(&client->made);
    weft_counter_remove(&client->reused);
    weft_counter_remove(&client->repeated);
    loop_slot_leave(&client->by_default);
    weft_scope_close(client->scope);
    scope_leave(&client->member);
    weft_tls_client_unref(client->tls);
    weft_release(client->user_agent);
    weft_release(client->scratch);
    weft_release(client);
}

static void run(struct loop_task *task)
{
    weft_http_client *client = weft_container_of(task, weft_http_client, task);

    if (!client->closing) {
        serve_waiting(client);
    } else if (client->alive == 0) {
        client->task.run = client_free;
        loop_reap(client->loop, &client->task);
    }
}

void http_client_changed(weft_http_client *client)
{
    if (client->task.run == run)
        loop_later(client->loop, &client->task);
}

void http_client_let_go(weft_http_client *client)
{
    client->alive--;
    if (client->closing)
        http_client_changed(client);
}

static void end(weft_http_client *client, int reason)
{
    client->closing = true;
    while (!weft_link_is_alone(&client->requests))
        http_request_finish(weft_container_of(client->requests.next, weft_http_request, all), reason);
    http_client_changed(client);
}

/* Its connections are in a scope beneath the same one, which is cancelled as well. */
static void cancelled(weft_scope_member *member, int reason)
{
    end(weft_container_of(member, weft_http_client, member), reason);
}

static const struct scope_member_class client_class = {.kind = "http client", .cancel = cancelled};

void weft_http_client_close(weft_http_client *client)
{
    if (!client || client->closing)
        return;
    end(client, WEFT_ECANCELED);
    while (!weft_link_is_alone(&client->pool.idle))
        http_link_release(http_link_at(weft_container_of(client->pool.idle.next, struct http_pool_place, age)), false);
}

/* -- its beginning -- */

static const char made_name[] = "http.client.connections";
static const char reused_name[] = "http.client.reused";
static const char repeated_name[] = "http.client.repeated";

static int init(weft_http_client *client)
{
    const weft_http_client_options *options = &client->options;
    uint8_t secret[SIPHASH_KEY_SIZE];
    size_t length = strlen(options->user_agent) + 1;
    int status = weft_loop_entropy(client->loop, secret, sizeof secret);

    if (status < 0)
        return status;
    if (!weft_http1_is_value(weft_bytes_from(options->user_agent)))
        return -EINVAL;
    client->user_agent = weft_allocate(length);
    if (!client->user_agent)
        return WEFT_ENOMEM;
    memcpy(client->user_agent, options->user_agent, length);
    client->tls = options->tls ? weft_tls_client_ref(options->tls) : NULL;
    http_pool_init(&client->pool, secret, options->connections, options->per_host);
    client->limits = (weft_http1_limits){.head_bytes = options->head_bytes,
                                         .field_count = options->field_count,
                                         .body = WEFT_UNLIMITED,
                                         .whole_head = true};
    weft_link_init(&client->waiting);
    weft_link_init(&client->requests);
    client->task.run = run;
    return 0;
}

static void count(weft_http_client *client)
{
    weft_counters *counters = weft_loop_counters(client->loop);

    weft_counters_add(counters, &client->made, made_name);
    weft_counters_add(counters, &client->reused, reused_name);
    weft_counters_add(counters, &client->repeated, repeated_name);
}

static int enter(weft_http_client *client, weft_scope *scope)
{
    int status = scope_join(scope, &client->member, &client_class);

    if (status < 0)
        return status;
    client->scope = weft_scope_open(scope, WEFT_NEVER);
    if (!client->scope) {
        scope_leave(&client->member);
        return WEFT_ENOMEM;
    }
    weft_scope_set_name(client->scope, "http client");
    scope_hold(client->scope);
    return 0;
}

int weft_http_client_new(weft_scope *scope, const weft_http_client_options *options, weft_http_client **ret_client)
{
    weft_http_client_options known = {0};
    weft_http_client *client;
    int status = options_copy(&known, sizeof known, options);

    if (status < 0)
        return status;
    if (!scope)
        return WEFT_ENOMEM;
    set_defaults(&known);
    client = weft_allocate_zeroed(1, sizeof *client);
    if (!client)
        return WEFT_ENOMEM;
    client->options = known;
    client->loop = weft_scope_loop(scope);
    status = init(client);
    if (status == 0)
        status = enter(client, scope);
    if (status < 0) {
        weft_release(client->user_agent);
        weft_release(client);
        return status;
    }
    count(client);
    *ret_client = client;
    return 0;
}

/* -- a loop's own -- */

int http_client_default(weft_loop *loop, weft_http_client **ret)
{
    static const char kind;
    struct loop_slot *slot = loop_slot_find(loop, &kind);
    int status;

    if (slot) {
        *ret = weft_container_of(slot, weft_http_client, by_default);
        return 0;
    }
    status = weft_http_client_new(weft_loop_scope(loop), NULL, ret);
    if (status == 0)
        loop_slot_enter(loop, &(*ret)->by_default, &kind, NULL);
    return status;
}
