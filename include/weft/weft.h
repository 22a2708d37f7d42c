/* SPDX-License-Identifier: MIT */
/**
 * @file
 * The core of Weft in one include. Families have headers of their own
 * (weft/http.h).
 */
#ifndef WEFT_WEFT_H
#define WEFT_WEFT_H

#include <weft/certificate.h>
#include <weft/datagram.h>
#include <weft/deferred.h>
#include <weft/error.h>
#include <weft/event.h>
#include <weft/failure.h>
#include <weft/file_deferred.h>
#include <weft/file_lock.h>
#include <weft/file_open.h>
#include <weft/file_write.h>
#include <weft/group.h>
#include <weft/listener.h>
#include <weft/lock.h>
#include <weft/log.h>
#include <weft/memory.h>
#include <weft/pace.h>
#include <weft/prepare.h>
#include <weft/queue.h>
#include <weft/secret.h>
#include <weft/serve.h>
#include <weft/signal.h>
#include <weft/stream.h>
#include <weft/task.h>
#include <weft/task_datagram.h>
#include <weft/task_stream.h>
#include <weft/timer.h>
#include <weft/tls.h>
#include <weft/watch.h>

#endif
