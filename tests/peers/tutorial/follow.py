#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: follow.py BUILD PAGE

Follows a tutorial as a new user would: in an empty folder, with Weft installed from BUILD. What stands after
`<!-- file: NAME -->` is written to that file; after `<!-- run -->` each line that begins with `$ ` is run, and what it says
must be what follows it. `...` on that page stands for any text, over several lines if it is a line by itself."""
import os
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"<!-- (file: (?P<name>\S+)|run) -->\n```\w*\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
passed = failed = 0


def install(build, place):
    subprocess.run(["cmake", "--install", build, "--prefix", place], check=True, stdout=subprocess.DEVNULL)
    libraries = next(os.path.join(path, "") for path, _, names in os.walk(place) if "weft.pc" in names)
    return dict(os.environ, PKG_CONFIG_PATH=libraries, LD_LIBRARY_PATH=os.path.dirname(libraries.rstrip("/")),
                PATH=os.path.join(place, "bin") + ":" + os.environ["PATH"], LC_ALL="C")


def commands(text):
    """(command, what it is to say) of each command."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, said = part.partition("\n")
        yield command, said


def is_as_expected(said, expected):
    return re.fullmatch(re.escape(expected.strip()).replace(re.escape("..."), r"(?:.|\n)*"), said.strip())


def run(command, expected, folder, environment):
    global passed, failed
    result = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=120, check=False, text=True,
                            errors="replace")
    if is_as_expected(result.stdout, expected):
        passed += 1
        return
    failed += 1
    print(f"$ {command}\nexpected:\n{expected}\nsaid:\n{result.stdout}")


def main():
    build, page = sys.argv[1:]
    with open(page, encoding="utf-8") as file:
        text = file.read()
    with tempfile.TemporaryDirectory() as place:
        environment = install(build, os.path.join(place, "usr"))
        folder = os.path.join(place, "empty")
        os.mkdir(folder)
        for block in BLOCK.finditer(text):
            if block.group("name"):
                with open(os.path.join(folder, block.group("name")), "w", encoding="utf-8") as file:
                    file.write(block.group("text"))
                continue
            for command, expected in commands(block.group("text")):
                run(command, expected, folder, environment)
    print(f"{os.path.basename(page)}: {passed} commands as the page says, {failed} not")
    sys.exit(1 if failed or not passed else 0)


main()
