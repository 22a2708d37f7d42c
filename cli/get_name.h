/* SPDX-License-Identifier: MIT */
/* The name that `weft get --remote-name` makes. */
#ifndef WEFT_CLI_GET_NAME_H
#define WEFT_CLI_GET_NAME_H

#include <weft/bytes.h>

/* A file's name is at most this long on Linux. */
#define GET_NAME_LONGEST 255

/* The last part of the path of @url, as it stands there: an escaped slash stays escaped, and no server has a say in it.
 * Empty if it would be no name of a file in this folder. */
weft_bytes get_name_of(const char *url);

#endif
