/* SPDX-License-Identifier: MIT */
/* Names looked up by c-ares, all at once, awaited in a task: usage: cares_lookup SERVER[:PORT] NAME... */
#include <stdio.h>
#include <stdlib.h>

#include <weft/adapters/cares.h>
#include <weft/weft.h>

static void show(const char *name, int status, const struct ares_addrinfo *addresses)
{
    char text[INET6_ADDRSTRLEN];

    if (status < 0)
        printf("%s: %s\n", name, weft_error_text(status));
    for (const struct ares_addrinfo_node *node = addresses ? addresses->nodes : NULL; node; node = node->ai_next) {
        const void *address = node->ai_addr;
        const struct sockaddr_in *four = address;
        const struct sockaddr_in6 *six = address;

        address = node->ai_family == AF_INET ? (const void *)&four->sin_addr : &six->sin6_addr;
        printf("%s: %s\n", name, ares_inet_ntop(node->ai_family, address, text, sizeof text));
    }
}

static int look_up(weft_cares *cares, char **names, int count)
{
    static const struct ares_addrinfo_hints hints = {.ai_flags = ARES_AI_NOSORT};
    weft_cares_result *results = calloc((size_t)count, sizeof *results);

    if (!results)
        return WEFT_ENOMEM;
    for (int i = 0; i < count; i++)
        results[i] = weft_cares_addresses(cares, names[i], NULL, &hints);
    for (int i = 0; i < count; i++) {
        struct ares_addrinfo *addresses = NULL;
        int status = weft_await(results[i], &addresses);

        show(names[i], status, addresses);
        ares_freeaddrinfo(addresses);
    }
    free(results);
    return 0;
}

struct request {
    char **words;
    int count;
};

static int look_up_all(weft_task *me, void *arg)
{
    const struct request *request = arg;
    weft_cares *cares;
    int status = weft_cares_new(weft_task_scope(me), NULL, 0, &cares);

    if (status < 0)
        return status;
    status = ares_set_servers_ports_csv(weft_cares_channel(cares), request->words[1]);
    status = status == ARES_SUCCESS ? look_up(cares, request->words + 2, request->count - 2) : weft_cares_error(status);
    weft_cares_free(cares);
    return status;
}

int main(int argc, char **argv)
{
    struct request request = {argv, argc};

    return argc < 3 ? 2 : weft_run(look_up_all, &request);
}
