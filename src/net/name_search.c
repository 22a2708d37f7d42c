/* SPDX-License-Identifier: MIT */
#include "net/name_search.h"

static unsigned dots_in(weft_bytes text)
{
    unsigned dots = 0;

    for (size_t i = 0; i < text.length; i++)
        dots += text.data[i] == '.';
    return dots;
}

int name_search_start(struct name_search *search, const struct resolv_conf *conf, weft_bytes text)
{
    struct name_search started = {.conf = conf, .plain = true};
    unsigned dots = dots_in(text);
    int status = weft_dns_name_parse(text, NULL, &started.name);

    if (status < 0)
        return status;
    started.domains = text.data[text.length - 1] != '.';
    started.plain_first = !started.domains || dots >= conf->ndots;
    if (conf->no_tld_query && dots == 0 && conf->search_count > 0)
        started.plain = false;
    started.last = conf->search_count + 2; /* as it is, the domains, as it is */
    *search = started;
    return 0;
}

/* The name of a step: as it is at step 0 or at the last, else with a domain. Returns whether there is one. */
static bool name_of_step(const struct name_search *search, unsigned step, weft_dns_name *ret)
{
    if (step == 0 || step == search->last - 1) {
        if (!search->plain || (step == 0) != search->plain_first)
            return false;
        *ret = search->name;
        return true;
    }
    return search->domains && weft_dns_name_join(&search->name, &search->conf->search[step - 1], ret) == 0;
}

bool name_search_next(struct name_search *search, weft_dns_name *ret)
{
    while (search->step < search->last)
        if (name_of_step(search, search->step++, ret))
            return true;
    return false;
}

void name_search_missed(struct name_search *search, enum name_outcome outcome)
{
    search->no_data |= outcome == NAME_OUTCOME_NO_DATA;
    search->failed |= outcome == NAME_OUTCOME_FAILED;
}

enum name_outcome name_search_result(const struct name_search *search)
{
    if (search->no_data)
        return NAME_OUTCOME_NO_DATA;
    return search->failed ? NAME_OUTCOME_FAILED : NAME_OUTCOME_NONE;
}
