/* SPDX-License-Identifier: MIT */
/*
 * The faults of a world as a text: "all" (what the seed draws), "none", or
 * kinds with their chances: "short-reads=500000,latency=1ms-80ms".
 */
#ifndef BACKEND_SIM_FAULT_TEXT_H
#define BACKEND_SIM_FAULT_TEXT_H

#include "backend/sim/fault.h"

enum sim_faults_choice {
    SIM_FAULTS_ALL,                 /* a swarm */
    SIM_FAULTS_ALL_BUT_ALLOCATIONS, /* a swarm in which none fails */
    SIM_FAULTS_LISTED
};

struct sim_faults_text {
    enum sim_faults_choice choice;
    weft_faults faults; /* of SIM_FAULTS_LISTED */
};

/* What is wrong with a text. */
struct sim_faults_error {
    size_t place, length; /* where */
    const char *reason;   /* a constant */
    bool is_name;         /* there is no kind of that name */
};

/* Reads @p text. Returns 0; -EINVAL, and @p ret_error says why. */
int sim_faults_parse(const char *text, struct sim_faults_text *ret, struct sim_faults_error *ret_error);

#endif
