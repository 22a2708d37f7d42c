# SPDX-License-Identifier: MIT
"""Tables of programs that measure themselves: each prints lines `column=nanoseconds`. They take turns in rounds, as
the servers do, and ratios are by round."""
import statistics
import subprocess
import time

import machine
from contestants import REFERENCE_POST, REFERENCE_SWITCH, TWIN, WEFT
from report import print_micro
from rounds import quartiles

TIMEOUT = 60

# name: (program, what is counted)
SWITCH = {REFERENCE_SWITCH: ('boost_switch', 8_000_000), WEFT: ('weft_switch', 8_000_000),
          'boost fiber': ('boost_pooled_switch', 8_000_000), 'ucontext': ('ucontext_switch', 400_000),
          REFERENCE_SWITCH + TWIN: ('boost_switch', 8_000_000)}
WAITING = {'by hand': ('plain_waiting', 1_000_000), WEFT: ('weft_waiting', 1_000_000),
           'by hand' + TWIN: ('plain_waiting', 1_000_000)}
POST = {REFERENCE_POST: ('eventfd_post', 500_000), WEFT: ('weft_post', 500_000), 'libuv': ('uv_post', 500_000),
        REFERENCE_POST + TWIN: ('eventfd_post', 500_000)}


class NoFigures(Exception):
    """A program failed."""


def run_once(bench, program, count):
    """{column: ns}"""
    time.sleep(bench.gap)
    command = [*bench.run_with, 'taskset', '-c', machine.SERVER_CPU, bench.program(program), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT,
                          preexec_fn=machine.ends_with_parent)
    if done.returncode != 0:
        raise NoFigures(f'{program}: {done.stderr.strip()[-200:]}')
    return {column: float(ns) for column, ns in (line.split('=') for line in done.stdout.splitlines())}


def measure(bench, fleet):
    """{name: one dictionary for each round}; a program that fails is left out from there on."""
    runs = {name: {} for name in fleet}
    alive = list(fleet)
    for number in range(bench.rounds):
        for name in alive[:] if number % 2 == 0 else alive[::-1]:
            program, count = fleet[name]
            try:
                runs[name][number] = run_once(bench, program, count // 4 if bench.quick else count)
            except (NoFigures, subprocess.TimeoutExpired) as why:
                bench.complain(str(why))
                alive.remove(name)
    return runs


def summary(runs, reference):
    """{column: {'ns': median, 'ratio': quartiles by round to the reference, or None if it has no such column}}"""
    rounds = {}
    for number, run in runs.items():
        for column, ns in run.items():
            rounds.setdefault(column, {})[number] = ns
    return {column: {'ns': statistics.median(found.values()), 'runs': list(found.values()),
                     'ratio': quartiles([ns / reference[number][column] for number, ns in found.items()
                                         if reference.get(number, {}).get(column)])}
            for column, found in rounds.items()}


def run_table(bench, key, fleet):
    there = {name: (program, count) for name, (program, count) in fleet.items() if bench.has(program)}
    runs = measure(bench, there)
    reference = next(iter(fleet))
    result = {name: summary(found, runs.get(reference, {})) for name, found in runs.items() if found}
    bench.results[key] = result
    print_micro(key, result, reference, bench.rounds)


def run_switch(bench):
    run_table(bench, 'switch between stacks', SWITCH)


def run_waiting(bench):
    run_table(bench, 'waiting', WAITING)
    run_table(bench, 'posts from another thread', POST)
