/* SPDX-License-Identifier: MIT */
/* The example echo_protocol as it stands, under a name that lets it run beside other programs in a simulated world. */
#include "scenario.h"

#define main scenario_main_echo_protocol
#include "../examples/echo_protocol.c"
