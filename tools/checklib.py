# SPDX-License-Identifier: MIT
"""What the checks of tools/ share: where the tree is, which files it has, and how a problem is told."""
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SKIPPED_DIRECTORIES = {".git", "build", "node_modules", "__pycache__", "corpus"}


class Problems:
    """Collects what is wrong; finish() prints it and ends the program."""

    def __init__(self, what):
        self.what = what
        self.found = []

    def add(self, path, line, text):
        place = os.path.relpath(path, ROOT) if os.path.isabs(path) else path
        self.found.append((place, line, text))

    def finish(self, summary):
        for place, line, text in sorted(set(self.found)):
            print(f"{place}:{line}: {text}")
        if self.found:
            print(f"{self.what}: {len(set(self.found))} to put right")
            sys.exit(1)
        print(summary)
        sys.exit(0)


def files(*suffixes, under=(".",)):
    """Absolute paths of all files of the tree with one of the suffixes, sorted."""
    found = []
    for top in under:
        for directory, names, entries in os.walk(os.path.join(ROOT, top)):
            names[:] = sorted(name for name in names if name not in SKIPPED_DIRECTORIES)
            found += [os.path.normpath(os.path.join(directory, entry)) for entry in entries
                      if not suffixes or entry.endswith(suffixes)]
    return sorted(path for path in found if os.path.isfile(path) and not os.path.islink(path))


def relative(path):
    return os.path.relpath(path, ROOT)


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1
