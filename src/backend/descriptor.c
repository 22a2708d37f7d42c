/* SPDX-License-Identifier: MIT */
#include "backend/descriptor.h"

#include <errno.h>
#include <unistd.h>

#include <weft/error.h>
#include <weft/log.h>

/* close(2) is never tried again: on Linux the descriptor is gone whatever it returns, and by then its number may be
 * that of another thread's. EINTR says no more than that. */
void descriptor_close(int fd)
{
    if (close(fd) < 0 && errno != EINTR)
        weft_log(WEFT_LOG_WARNING, "close", "a descriptor was closed with an error: %s", weft_error_text(-errno));
}
