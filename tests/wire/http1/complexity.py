#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The parser's work is linear in its input, however that is divided.

Counts the instructions that weft_http1_next takes, with valgrind's callgrind: no clock is involved, and every run gives
the same numbers. Twice the input may take 2.3 times the instructions, whole and byte by byte; and byte by byte may take
three times what the whole takes, beside what so many calls cost by themselves (twice what a byte of a body costs).

Exit status 77: there is no valgrind.

    complexity.py PROGRAM
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

SIZE = 20000
DOUBLE_MOST = 2.3
BYTES_MOST = 3.0


def instructions(program, kind, size, step, how):
    """What weft_http1_next and all that it calls execute."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        subprocess.run(
            ["valgrind", "--tool=callgrind", "--toggle-collect=weft_http1_next", f"--callgrind-out-file={out}",
             program, kind, str(size), str(step), how],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(out, encoding="ascii", errors="replace") as file:
            return int(re.search(r"^(?:totals|summary): (\d+)", file.read(), re.MULTILINE)[1])


def check(program, kind, how, call):
    """Returns the sentences that say what is wrong. `call` is what one call may cost by itself."""
    whole, whole_2, bytewise, bytewise_2 = (
        instructions(program, kind, size, step, how)
        for step in (10 * SIZE, 1) for size in (SIZE, 2 * SIZE))
    print(f"{kind:10} {how:6} {SIZE} bytes: whole {whole:8}, twice as much {whole_2 / whole:.2f} times; "
          f"byte by byte {bytewise:8}, twice as much {bytewise_2 / bytewise:.2f} times")
    wrong = []
    if whole_2 > DOUBLE_MOST * whole:
        wrong.append(f"{kind} ({how}): twice the input takes {whole_2 / whole:.2f} times the instructions")
    if bytewise_2 > DOUBLE_MOST * bytewise:
        wrong.append(f"{kind} ({how}), byte by byte: twice the input takes {bytewise_2 / bytewise:.2f} times")
    if bytewise > BYTES_MOST * whole + call * SIZE:
        wrong.append(f"{kind} ({how}): {bytewise} instructions byte by byte, {whole} whole")
    return wrong


def main():
    if not shutil.which("valgrind"):
        print("skipped: there is no valgrind")
        return 77
    program = sys.argv[1]
    kinds = subprocess.run([program], check=True, capture_output=True, text=True).stdout.split()
    call = 2 * instructions(program, "body", SIZE, 1, "events") / SIZE
    wrong = [sentence for kind in kinds for how in ("events", "heads") for sentence in check(program, kind, how, call)]
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
