# SPDX-License-Identifier: MIT
# The warnings of this project, for gcc >= 12 and clang >= 14 alike. What a flag is for stands beside it.
add_library(weft-warnings INTERFACE)
target_compile_options(weft-warnings INTERFACE
    -Wall                   # what nobody wants to miss
    -Wextra                 # unused parameters, missing initialisers, comparisons of different sign
    -Wconversion            # a number that may not fit: lengths come from the network
    -Wsign-conversion       # a negative error that becomes a huge length
    -Wshadow                # two variables of one name
    -Wstrict-prototypes     # f() takes any arguments, f(void) none
    -Wmissing-prototypes    # a function that is neither static nor declared in a header
    -Wvla                   # no array whose size a peer could choose: the stack is bounded
    -Wundef                 # a misspelt macro in #if is 0 without a word
    -Wcast-align            # a pointer into a buffer that is not aligned for its type
    -Wwrite-strings         # string literals are constant
    -Wimplicit-fallthrough  # a case that runs into the next says so
    -Wformat=2              # format strings are literals and match their arguments
    -Wpointer-arith         # arithmetic on void * is not C
    $<$<BOOL:${WEFT_WERROR}>:-Werror>)
