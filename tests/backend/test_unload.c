/* SPDX-License-Identifier: MIT */
/* A library that was loaded at run time and is let go again: its threads and its signal handler must not lose their code.
 * The argument is the library's path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>

#include <weft/loop.h>

static const char *library;

static void library_stays_when_it_is_let_go(void **state)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL), *again;
    __typeof__(&weft_loop_new) loop_new;
    __typeof__(&weft_loop_free) loop_free;
    weft_loop *loop;

    (void)state;
    assert_non_null(handle);
    *(void **)&loop_new = dlsym(handle, "weft_loop_new");
    *(void **)&loop_free = dlsym(handle, "weft_loop_free");
    assert_non_null(loop_new);
    assert_non_null(loop_free);
    assert_int_equal(loop_new(NULL, &loop), 0);
    loop_free(loop);
    assert_int_equal(dlclose(handle), 0);
    again = dlopen(library, RTLD_NOW | RTLD_NOLOAD);
    assert_non_null(again);
    dlclose(again);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(library_stays_when_it_is_let_go)};

    if (argc != 2)
        return 2;
    library = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
