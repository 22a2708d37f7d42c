/* SPDX-License-Identifier: MIT */
/*
 * Visitors: strangers who come to a simulated program that listens. Each
 * connects once, to any of its listeners, and behaves as the seed says: it
 * speaks or is silent, reads or does not, goes politely or breaks off. When all
 * have gone, the program is told to end (SIGTERM).
 *
 * Without them, a server alone in its world would wait for ever.
 */
#ifndef BACKEND_SIM_VISITOR_H
#define BACKEND_SIM_VISITOR_H

#include "backend/sim/world.h"

struct sim_visitors;

/* From the first listener on, @p count of them come to @p host; together they say @p text (*until* the world is freed) about
 * @p messages times; NULL: lines of their own. Returns 0 or WEFT_ENOMEM. */
int sim_visitors_invite(struct sim_host *host, unsigned count, unsigned messages, const char *text);
/* What they have heard is dealt with. Returns whether there was anything. */
bool sim_visitors_turn(struct sim_world *world);
/* Somebody listens at @p at now. */
void sim_visitors_hear_of(struct sim_host *host, const struct backend_endpoint *at);
void sim_visitors_free(struct sim_visitors *visitors);

#endif
