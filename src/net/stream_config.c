/* SPDX-License-Identifier: MIT */
/* A stream's limits and deadlines, with their defaults. */
#include "net/stream_internal.h"

#include <weft/memory.h>

#include "base/options.h"

/* As stream_ticks_from. */
#define TICKS(duration) ((stream_ticks)(((duration)-1) >> TICK_SHIFT) + 2)

static const struct stream_config defaults = {
    .high_water = 64 * 1024,
    .low_water = 16 * 1024,
    .output_limit = 4 * 1024 * 1024,
    .input_limit = 64 * 1024,
    .connect = TICKS(WEFT_SECONDS(30)),
    .handshake = TICKS(WEFT_SECONDS(10)),
    .idle = TICKS(WEFT_MINUTES(5)),
    .write_stall = TICKS(WEFT_SECONDS(30)),
    .lifetime = TICKS_NEVER,
};

/* Rounded up, and one more because the tick that it is counted from has begun: so no deadline passes early. */
stream_ticks stream_ticks_from(weft_time duration)
{
    uint64_t ticks;

    if (duration == WEFT_NEVER)
        return TICKS_NEVER;
    ticks = duration <= 0 ? 0 : (((uint64_t)duration - 1) >> TICK_SHIFT) + 2;
    return ticks > TICKS_MOST ? TICKS_MOST : (stream_ticks)ticks;
}

static void set_size(size_t *to, size_t value)
{
    if (value)
        *to = value;
}

static void set_ticks(stream_ticks *to, weft_time value)
{
    if (value)
        *to = stream_ticks_from(value);
}

int stream_config_new(const weft_stream_options *user_options, const struct stream_config *base,
                      struct stream_config **ret)
{
    weft_stream_options options = {0};
    struct stream_config *config;
    int status = options_copy(&options, sizeof options, user_options);

    if (status < 0)
        return status;
    config = weft_allocate(sizeof *config);
    if (!config)
        return WEFT_ENOMEM;
    *config = base ? *base : defaults;
    config->references = 1;
    set_size(&config->high_water, options.high_water);
    set_size(&config->low_water, options.low_water);
    set_size(&config->output_limit, options.output_limit);
    set_size(&config->input_limit, options.input_limit);
    set_ticks(&config->connect, options.connect);
    set_ticks(&config->handshake, options.handshake);
    set_ticks(&config->idle, options.idle);
    set_ticks(&config->write_stall, options.write_stall);
    set_ticks(&config->lifetime, options.lifetime);
    config->socket.delay |= options.delay;
    if (options.keepalive)
        config->socket.keepalive = options.keepalive;
    if (config->low_water > config->high_water)
        config->low_water = config->high_water;
    *ret = config;
    return 0;
}

void stream_config_unref(struct stream_config *config)
{
    if (config && --config->references == 0)
        weft_release(config);
}
