/* SPDX-License-Identifier: MIT */
#include <weft/secret.h>

#include <string.h>

/* The compiler knows nothing of `difference` between two rounds, so it cannot leave the loop at the first one that it
 * sees, nor make a memcmp of it. */
bool weft_secret_equal(const void *a, const void *b, size_t length)
{
    const unsigned char *left = a, *right = b;
    unsigned char difference = 0;

    for (size_t i = 0; i < length; i++) {
        difference |= left[i] ^ right[i];
        __asm__("" : "+r"(difference));
    }
    return difference == 0;
}

void weft_secret_clear(void *memory, size_t length)
{
    if (length > 0)
        explicit_bzero(memory, length);
}
