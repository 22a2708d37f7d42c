/* SPDX-License-Identifier: MIT */
/* Closing, for every file of the seam. */
#ifndef BACKEND_DESCRIPTOR_H
#define BACKEND_DESCRIPTOR_H

/* Closes @p fd, whatever becomes of it. What the system says of data that it could not keep is logged, once. */
void descriptor_close(int fd);

#endif
