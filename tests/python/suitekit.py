# SPDX-License-Identifier: MIT
"""Somebody else's tests, run on what they were written for and on Weft: two tables and every difference.

They need not all pass: they must pass on ours exactly where they pass on the other. A test that ends differently is run
again by itself, on both, until it ends alike on both, at most AGAIN times; what then still differs is a difference."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ["WEFT_BUILD_DIR"]
PACKAGE = os.path.join(BUILD, "python")
PYTHON = "/usr/bin/python3.11"
SIDES = ("stock", "weft")
COLUMNS = ("passed", "failed", "error", "skipped", "expected failure", "unexpected success", "not run")
AGAIN = 3


def skip(reason):
    print(reason)
    sys.exit(77)


def need(*modules):
    """Skips if the binding was not built, or one of Debian's packages is not there."""
    if not os.path.isdir(os.path.join(PACKAGE, "weft")):
        skip("the Python binding was not built: it needs python3-dev")
    for module in modules:
        if subprocess.run([PYTHON, "-c", f"import {module}"], stderr=subprocess.DEVNULL, check=False).returncode:
            skip(f"{PYTHON} has no {module}")


def environment():
    return dict(os.environ, PYTHONPATH=PACKAGE, PYTHONDONTWRITEBYTECODE="1", PYTHONUNBUFFERED="1")


class Side:
    """One run of tests on one of the two, in a process and an empty folder of its own."""

    def __init__(self, script, which, names, limit):
        self.limit = limit
        self.folder = tempfile.mkdtemp(prefix="weft-suite-")
        self.file = os.path.join(self.folder, "outcomes")
        self.log = os.path.join(self.folder, "log")
        work = os.path.join(self.folder, "work")
        os.mkdir(work)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([PYTHON, os.path.join(HERE, script), which, self.file, *names], cwd=work,
                                            env=environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def finish(self):
        """Outcomes by name, how many of ours were made, and the end of the log if it did not come to its end."""
        try:
            self.process.wait(timeout=self.limit)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        outcomes, made, whole = {}, 0, False
        if os.path.exists(self.file):
            with open(self.file, encoding="utf-8") as file:
                for outcome, name in map(json.loads, file):
                    if outcome == "made":
                        made, whole = name, True
                    else:
                        outcomes[name] = outcome
        with open(self.log, encoding="utf-8", errors="replace") as log:
            story = "" if whole else f"status {self.process.returncode}\n" + log.read()[-3000:]
        shutil.rmtree(self.folder, ignore_errors=True)
        return outcomes, made, story


def run_both(script, names, limit, together):
    """The outcomes of both, at the same time or one after the other."""
    results = {}
    if together:
        sides = [Side(script, which, names, limit) for which in SIDES]
        results = dict(zip(SIDES, [side.finish() for side in sides]))
    else:
        for which in SIDES:
            results[which] = Side(script, which, names, limit).finish()
    for which in SIDES:
        if results[which][2]:
            print(f"{' '.join(names)} on {which} did not come to its end: {results[which][2]}")
    return [results[which][0] for which in SIDES], results["weft"][1]


def differing(stock, ours):
    return sorted(name for name in stock.keys() | ours.keys() if stock.get(name) != ours.get(name))


def settle(script, name, limit, first):
    """Runs a test that ended differently again, by itself. Returns the last pair of outcomes."""
    pair = first
    for _ in range(AGAIN):
        (stock, ours), _ = run_both(script, [name], limit, together=False)
        pair = (stock.get(name, "not run"), ours.get(name, "not run"))
        if pair[0] == pair[1]:
            break
    return pair


def table(title, rows):
    print(f"\n{title}")
    used = [column for column in COLUMNS if any(column in counts for counts in rows.values())]
    width = max(len(name) for name in [*rows, "in all"])
    print(f"  {'':{width}} {'tests':>6}", *(f"{column:>{max(7, len(column))}}" for column in used))
    total = {}
    for counts in rows.values():
        for column, count in counts.items():
            total[column] = total.get(column, 0) + count
    for name, counts in [*rows.items(), ("in all", total)]:
        print(f"  {name:{width}} {sum(counts.values()):6}",
              *(f"{counts.get(column, 0):>{max(7, len(column))}}" for column in used))


def count(names, outcomes, group):
    rows = {}
    for name in names:
        row = rows.setdefault(group(name), {})
        outcome = outcomes.get(name, "not run")
        row[outcome] = row.get(outcome, 0) + 1
    return dict(sorted(rows.items()))


def compare(script, runs, group, limit):
    """Runs each list of names in `runs` on both sides, and prints the tables, one row for each group(name), and every
    difference. Ends the program: 0 if there is none that stays."""
    stock, ours, used = {}, {}, 0
    for names in runs:
        (one, other), made = run_both(script, names, limit, together=True)
        stock.update(one)
        ours.update(other)
        used += made
    names = sorted(stock.keys() | ours.keys())
    first = {name: (stock.get(name, "not run"), ours.get(name, "not run")) for name in differing(stock, ours)}
    left = 0
    lines = []
    for name, pair in first.items():
        again = settle(script, name, min(limit, 300), pair)
        stock[name], ours[name] = again
        left += again[0] != again[1]
        lines.append(f"  {name}: {pair[0]} on stock, {pair[1]} on weft; again by itself: {again[0]}, {again[1]}")
    table("On what they were written for", count(names, stock, group))
    table("On Weft", count(names, ours, group))
    print(f"\n{used} times something of Weft's was used")
    print(f"Differences: {len(first)} at first, {left} that stay")
    print("\n".join(lines))
    for name in names:
        if stock[name] in ("failed", "error") and ours[name] == stock[name]:
            print(f"  ({stock[name]} on both: {name})")
    assert names and used, "nothing was run"
    print(f"{len(names) - left} alike, {left} different")
    sys.exit(1 if left else 0)
