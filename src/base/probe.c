/* SPDX-License-Identifier: MIT */
#include <weft/probe.h>

const weft_probe_hooks *weft_probing;
