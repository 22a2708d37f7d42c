#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: planted.py PROGRAM COMPILER

What is planted to block is found, wherever a loop runs it, and named; what does not block, or not there, is not reported.
What says that it neither waits nor allocates, and does, is found when it is compiled."""
import os
import subprocess
import sys

CALLS = {"usleep": "usleep", "fsync": "fsync", "stat": "stat", "open": "open", "read": "read", "poll": "poll",
         "pthread_mutex_lock": "pthread_mutex_lock", "weft_directory_open": "open in weft_directory_open"}
ON_THE_LOOP = ("timer", "post", "task", "turns")
SOURCE = os.environ["WEFT_SOURCE_DIR"]
DISHONEST = {
    "malloc": "#include <stdlib.h>\nvoid *one(void) WEFT_NONBLOCKING;\nvoid *one(void)\n{\n    return malloc(1);\n}\n",
    "usleep": "#include <unistd.h>\nvoid one(void) WEFT_NONBLOCKING;\nvoid one(void)\n{\n    usleep(1);\n}\n",
    "weft_loop_run": "int one(weft_loop *loop) WEFT_NONBLOCKING;\nint one(weft_loop *loop)\n{\n"
                     "    return weft_loop_run(loop);\n}\n",
}
HONEST = ("void one(weft_timer *timer) WEFT_NONBLOCKING;\nvoid one(weft_timer *timer)\n{\n"
          "    weft_timer_start(timer, 1);\n}\n")


def run(program, place, call):
    return subprocess.run([program, place, call], capture_output=True, text=True, timeout=60)


def found(program, place, call):
    result = run(program, place, call)
    assert result.returncode == 43, f"{call} in {place}: ended with {result.returncode}: {result.stdout}{result.stderr}"
    assert f"`{CALLS[call]}`" in result.stderr, f"{call} in {place} is not named: {result.stderr}"
    assert "planted.c" in result.stderr, f"{call} in {place} has no place: {result.stderr}"


def passed(program, place, call):
    result = run(program, place, call)
    assert (result.returncode, result.stdout, result.stderr) == (0, "ended\n", ""), \
        f"{call} in {place}: ended with {result.returncode}: {result.stdout}{result.stderr}"


def compiled(compiler, text):
    command = [compiler, "-std=c11", "-D_GNU_SOURCE", "-fsyntax-only", "-Wfunction-effects", "-Werror", "-I",
               os.path.join(SOURCE, "include"), "-x", "c", "-"]
    return subprocess.run(command, input="#include <weft/weft.h>\n" + text, capture_output=True, text=True)


def main():
    program, compiler = sys.argv[1:]
    for call in CALLS:
        for place in ON_THE_LOOP:
            found(program, place, call)
        for place in ("job", "outside"):
            passed(program, place, call)
    for place in ON_THE_LOOP:
        passed(program, place, "nothing")
    for name, text in DISHONEST.items():
        result = compiled(compiler, text)
        assert result.returncode != 0 and "-Wfunction-effects" in result.stderr and f"'{name}'" in result.stderr, \
            f"{name} was compiled: {result.stderr}"
    result = compiled(compiler, HONEST)
    assert result.returncode == 0, result.stderr
    print(f"{len(CALLS)} calls were found in {len(ON_THE_LOOP)} places, and {len(DISHONEST)} by the compiler")


main()
