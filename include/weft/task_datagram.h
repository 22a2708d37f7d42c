/* SPDX-License-Identifier: MIT */
/**
 * @file
 * Datagrams for tasks: calls that wait.
 *
 *     static void echo(weft_task *me, void *unused)
 *     {
 *         weft_datagram in;
 *         weft_inbox *inbox;
 *
 *         if (weft_inbox_open(weft_task_scope(me), "udp://127.0.0.1:7007", NULL, &inbox, NULL) < 0)
 *             return;
 *         while (weft_receive(inbox, &in) > 0)
 *             weft_datagram_reply(weft_inbox_socket(inbox), &in, in.bytes);
 *     }
 *
 * An inbox is a socket (weft/datagram.h) whose protocol is Weft's own: it keeps what comes, at most 64 KiB or 256
 * datagrams (and the rest of the batch that goes beyond it), until a task receives it; then the system keeps what it
 * can, and drops the rest. One task at a time may receive, and one may send; others get -EBUSY. Outside of a task the
 * calls that wait give WEFT_ENOTASK.
 */
#ifndef WEFT_TASK_DATAGRAM_H
#define WEFT_TASK_DATAGRAM_H

#include <weft/datagram.h>
#include <weft/task.h>

WEFT_BEGIN_DECLS

/** A socket whose datagrams wait for a task. It belongs to its scope and is valid, even when its socket is lost, until
 *  that closes, which closes it. */
typedef struct weft_inbox weft_inbox;

/** Opens one at @p url; parameters as those of weft_datagram_open. @param[out] ret_inbox  *borrowed* until @p scope is
 *  closed @return as weft_datagram_open */
WEFT_API WEFT_NODISCARD int weft_inbox_open(weft_scope *scope, const char *url, const weft_datagram_options *options,
                                            weft_inbox **ret_inbox, weft_url_error *ret_error);
/** Opens one that is connected to @p url; parameters as those of weft_datagram_open_to. @return as that */
WEFT_API WEFT_NODISCARD int weft_inbox_open_to(weft_scope *scope, const char *url, const weft_datagram_options *options,
                                               weft_inbox **ret_inbox, weft_url_error *ret_error);

/** Its socket, for all that does not wait. @return *borrowed*; NULL when it is lost */
WEFT_API weft_datagram_socket *weft_inbox_socket(const weft_inbox *inbox);

/**
 * Waits for a datagram.
 * @param[out] ret  the oldest that has come; what it points to is *borrowed* until the next receive on @p inbox, or its
 *                  scope closes
 * @return 1; what `failed` was told of (-ECONNREFUSED and the like), once, and the inbox goes on; WEFT_ENOMEM if
 *         something came for which there was no memory, which is lost; the reason for which the socket was lost, after
 *         all that had come; the reason if the task was cancelled; -EBUSY if another task receives
 */
#define weft_receive(inbox, ret) weft_task_receive(inbox, ret, WEFT_HERE)
/** As the macro. @return as it */
WEFT_API int weft_task_receive(weft_inbox *inbox, weft_datagram *ret, weft_place place);

/** Sends as weft_datagram_send, and waits while more is queued than the high-water mark. @return 0; an error of
 *  weft_datagram_send; the reason for which the socket was lost, or the task was cancelled; -EBUSY if another task
 *  waits */
#define weft_send(inbox, datagrams, count) weft_task_send(inbox, datagrams, count, WEFT_HERE)
/** As the macro. @return as it */
WEFT_API int weft_task_send(weft_inbox *inbox, const weft_datagram *datagrams, size_t count, weft_place place);

WEFT_END_DECLS

#endif
