/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The core of Weft in one include. Families have headers of their own
 * (weft/http.h).
 */
#ifndef WEFT_WEFT_H
#define WEFT_WEFT_H

#include <weft/error.h>
#include <weft/failure.h>
#include <weft/file_open.h>
#include <weft/listener.h>
#include <weft/log.h>
#include <weft/memory.h>
#include <weft/serve.h>
#include <weft/signal.h>
#include <weft/stream.h>
#include <weft/timer.h>

#endif
