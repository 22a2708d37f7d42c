/* SPDX-License-Identifier: MIT */
/*
 * Sockets that a service manager has opened for this program, as sd_listen_fds(3) describes: LISTEN_PID, LISTEN_FDS
 * and LISTEN_FDNAMES. What the environment says is read once in a process, by the first who asks, and then taken out of
 * it, so that no child believes that it is meant. All functions may be called from any thread.
 */
#ifndef BACKEND_INHERITED_H
#define BACKEND_INHERITED_H

#include <weft/bytes.h>

/* Takes the next of that name which nobody has; of any name, if @p name is empty. Returns the descriptor, which is
 * close-on-exec; WEFT_ENOSOCKET if there is none. */
int inherited_take(weft_bytes name);
/* Another may take it. */
void inherited_give_back(int fd);

#endif
