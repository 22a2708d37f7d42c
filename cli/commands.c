/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <string.h>

#include "cert.h"
#include "get.h"
#include "sim.h"
#include "suggest.h"
#include "web.h"

const struct command *const commands[] = {&web_command, &get_command, &cert_command, &sim_command, &help_command};
const size_t command_count = sizeof(commands) / sizeof(commands[0]);

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

const char *command_nearest(const char *name)
{
    struct suggestion suggestion = suggestion_for(name, strlen(name));

    for (size_t i = 0; i < command_count; i++)
        suggestion_offer(&suggestion, commands[i]->name);
    return suggestion.best;
}
