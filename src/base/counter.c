/* SPDX-License-Identifier: MIT */
#include <weft/counter.h>

#include <string.h>

void weft_counters_init(weft_counters *counters)
{
    weft_link_init(&counters->head);
}

void weft_counters_add(weft_counters *counters, weft_counter *counter, const char *name)
{
    counter->name = name;
    counter->value = 0;
    weft_link_insert_before(&counters->head, &counter->link);
}

void weft_counter_remove(weft_counter *counter)
{
    weft_link_remove(&counter->link);
}

uint64_t weft_counters_read(const weft_counters *counters, const char *name)
{
    uint64_t sum = 0;
    for (const weft_link *link = counters->head.next; link != &counters->head; link = link->next) {
        const weft_counter *counter = weft_container_of(link, weft_counter, link);
        if (strcmp(counter->name, name) == 0)
            sum += weft_counter_value(counter);
    }
    return sum;
}

void weft_counters_visit(const weft_counters *counters, void (*visit)(const weft_counter *, void *), void *arg)
{
    for (const weft_link *link = counters->head.next; link != &counters->head; link = link->next)
        visit(weft_container_of(link, weft_counter, link), arg);
}
