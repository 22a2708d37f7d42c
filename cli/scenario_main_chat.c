/* SPDX-License-Identifier: MIT */
/* The example chat as it stands, under a name that lets it run beside other programs in a simulated world. */
#include "scenario.h"

#define main scenario_main_chat
#include "../examples/chat.c"
