/* SPDX-License-Identifier: MIT */
/* Real time, for `weft sim` itself: how long something takes that has a virtual time of its own. */
#ifndef WEFT_CLI_SIM_CLOCK_H
#define WEFT_CLI_SIM_CLOCK_H

#include <weft/time.h>

weft_time sim_clock_now(void);

#endif
