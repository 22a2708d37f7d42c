/* SPDX-License-Identifier: MIT */
#include "net/eyeballs.h"

#define PREFERRED 0
#define OTHER 1
#define AT_ONCE INT64_MIN

static weft_time or_usual(weft_time value, weft_time usual)
{
    return value ? value : usual;
}

static weft_time between(weft_time value, weft_time least, weft_time most)
{
    return value < least ? least : value > most ? most : value;
}

void eyeballs_init(struct eyeballs *eyeballs, const struct eyeballs_options *options)
{
    memset(eyeballs, 0, sizeof *eyeballs);
    if (options)
        eyeballs->options = *options;
    options = &eyeballs->options;
    eyeballs->options.resolution_delay = or_usual(options->resolution_delay, WEFT_MILLISECONDS(50));
    eyeballs->options.attempt_delay =
        between(or_usual(options->attempt_delay, WEFT_MILLISECONDS(250)), WEFT_MILLISECONDS(10), WEFT_SECONDS(2));
    eyeballs->options.concurrent = options->concurrent ? options->concurrent : 8;
    eyeballs->options.first_count = options->first_count ? options->first_count : 1;
    eyeballs->resolved = WEFT_NEVER;
}

void eyeballs_answered(struct eyeballs *eyeballs, weft_time now, weft_address_family family,
                       const weft_address *addresses, size_t count)
{
    bool preferred = (family == WEFT_ADDRESS_IPV4) == eyeballs->options.prefer_ipv4;
    struct eyeballs_queue *queue = &eyeballs->queues[preferred ? PREFERRED : OTHER];

    queue->answered = true;
    for (size_t i = 0; i < count && queue->count < EYEBALLS_MOST; i++)
        queue->addresses[queue->count++] = addresses[i];
    if (count > 0 && eyeballs->resolved == WEFT_NEVER)
        eyeballs->resolved = now;
}

void eyeballs_failed(struct eyeballs *eyeballs)
{
    if (eyeballs->running > 0)
        eyeballs->running--;
}

void eyeballs_connected(struct eyeballs *eyeballs)
{
    eyeballs->connected = true;
}

static bool has_more(const struct eyeballs_queue *queue)
{
    return queue->next < queue->count;
}

static bool all_answered(const struct eyeballs *eyeballs)
{
    return eyeballs->queues[PREFERRED].answered && eyeballs->queues[OTHER].answered;
}

/*
 * RFC 8305 §3: with an address of the preferred family, or with both answers, it begins at once; with addresses of the
 * other family only it waits a little. Returns when.
 */
static weft_time start_of(const struct eyeballs *eyeballs)
{
    if (has_more(&eyeballs->queues[PREFERRED]) || all_answered(eyeballs))
        return AT_ONCE;
    return eyeballs->resolved == WEFT_NEVER ? WEFT_NEVER : eyeballs->resolved + eyeballs->options.resolution_delay;
}

/* §4: the first ones of the preferred family, then one of each in turn; a family that has none is passed over. */
static struct eyeballs_queue *queue_of_turn(struct eyeballs *eyeballs)
{
    struct eyeballs_queue *queue = &eyeballs->queues[eyeballs->turn];

    return has_more(queue) ? queue : &eyeballs->queues[1 - eyeballs->turn];
}

static void take(struct eyeballs *eyeballs, weft_time now, weft_address *ret)
{
    struct eyeballs_queue *queue = queue_of_turn(eyeballs);
    bool preferred = queue == &eyeballs->queues[PREFERRED];

    *ret = queue->addresses[queue->next++];
    eyeballs->preferred_begun += preferred;
    eyeballs->turn = preferred && eyeballs->preferred_begun >= eyeballs->options.first_count ? OTHER : PREFERRED;
    eyeballs->running++;
    eyeballs->trying = true;
    eyeballs->next_attempt = now + eyeballs->options.attempt_delay;
}

enum eyeballs_step eyeballs_next(struct eyeballs *eyeballs, weft_time now, weft_address *ret_address,
                                 weft_time *ret_until)
{
    bool more = has_more(&eyeballs->queues[PREFERRED]) || has_more(&eyeballs->queues[OTHER]);
    weft_time when;

    if (eyeballs->connected)
        return EYEBALLS_OVER;
    if (!more) {
        *ret_until = WEFT_NEVER;
        return all_answered(eyeballs) && eyeballs->running == 0 ? EYEBALLS_OVER : EYEBALLS_WAIT;
    }
    if (eyeballs->running >= eyeballs->options.concurrent)
        when = WEFT_NEVER;
    else if (!eyeballs->trying)
        when = start_of(eyeballs);
    else
        when = eyeballs->running > 0 ? eyeballs->next_attempt : AT_ONCE;
    if (when > now) {
        *ret_until = when;
        return EYEBALLS_WAIT;
    }
    take(eyeballs, now, ret_address);
    return EYEBALLS_TRY;
}
