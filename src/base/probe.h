/* SPDX-License-Identifier: MIT */
/**
 * @file
 * What a simulated world may decide in Weft's own code (weft/probe.h). Outside
 * of one each costs a load and a branch.
 */
#ifndef BASE_PROBE_H
#define BASE_PROBE_H

#include <weft/probe.h>

/** A rare state that is worth reaching. @p name is a constant text. */
#define PROBE(name) WEFT_PROBE(name)

/** Whether the rare path @p site, a constant text, is to be taken though nothing asks for it. */
#define RARE(site) (__builtin_expect(weft_probe_now() != NULL, 0) && weft_probe_now()->rare(site))

/** The same once and for ever, asked when an object is made: where a question each time would cost too much. */
#define RARE_MODE(site) (__builtin_expect(weft_probe_now() != NULL, 0) && weft_probe_now()->mode(site))

/** Whether an allocation is to fail. */
#define STARVES() (__builtin_expect(weft_probe_now() != NULL, 0) && weft_probe_now()->starve())

#endif
