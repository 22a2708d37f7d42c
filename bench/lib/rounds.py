# SPDX-License-Identifier: MIT
"""Interleaved rounds: every contestant is loaded once in a round, A B C ..., then C B A ...; ratios by round."""
import json
import os
import statistics
import subprocess
import time

import machine
from servers import Failed

LOAD_TIMEOUT = 60
TICKS_PER_SECOND = 250  # or so; what /proc shows of them is rounded to 10 ms


def quartiles(values):
    """(first quartile, median, third quartile), or None of nothing."""
    if not values:
        return None
    if len(values) < 2:
        return (values[0],) * 3
    first, middle, third = statistics.quantiles(values, n=4, method='inclusive')
    return first, middle, third


def overlap(one, other):
    return bool(one and other and one[0] <= other[2] and other[0] <= one[2])


def load_command(bench, server, arguments, seconds, warm_up):
    return [*bench.run_with, 'taskset', '-c', machine.LOAD_CPU, bench.program('load'), '-p', str(server.port),
            '-t', str(seconds), '-w', str(warm_up), '-P', server.pid_list(), *arguments]


def run_load(command, timeout):
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout,
                          preexec_fn=machine.ends_with_parent)


def load_once(bench, server, arguments, seconds, warm_up, run=run_load):
    """One run; a dictionary of what `load` measured, and how much CPU others took meanwhile."""
    time.sleep(bench.gap)
    idle, stolen, before = machine.idle_seconds(), machine.steal_seconds(), time.monotonic()
    try:
        done = run(load_command(bench, server, arguments, seconds, warm_up), LOAD_TIMEOUT)
    except subprocess.TimeoutExpired:
        raise Failed(f'{server.name}: the load hangs') from None
    if done.returncode != 0:
        raise Failed(f'{server.name}: {done.stderr.strip()[-200:]}')
    result = json.loads(done.stdout)
    if result['messages'] == 0:
        raise Failed(f'{server.name}: no answers')
    wall = time.monotonic() - before
    own = (result['cpu_s'] + result['load_cpu_s']) * wall / result['elapsed_s']
    busy = (os.cpu_count() or 1) * wall - (machine.idle_seconds() - idle)
    result['others'] = max(0.0, (busy - own) / wall)
    result['steal'] = (machine.steal_seconds() - stolen) / wall
    result['cpu_us'] = result['cpu_s'] / result['messages'] * 1e6
    result['user_samples'] = result['user_s'] * TICKS_PER_SECOND
    return result


def measure(bench, servers, arguments, reference, seconds=None, rounds=None, once=load_once):
    """All rounds of one shape, after a short one that is not counted (caches, page tables, congestion windows).
    Returns {name: summary}; one that fails is left out from there on."""
    seconds = seconds or bench.seconds
    runs = {server.name: [] for server in servers}
    alive = list(servers)
    for number in range(-1, rounds or bench.rounds):
        for server in alive[:] if number % 2 == 0 else alive[::-1]:
            try:
                run = once(bench, server, arguments, seconds if number >= 0 else bench.warm_up, bench.warm_up)
                if number >= 0:
                    runs[server.name].append((number, run))
            except Failed as why:
                bench.complain(str(why))
                alive.remove(server)
    return {name: summary(found, dict(runs.get(reference, []))) for name, found in runs.items() if found}


def summary(runs, reference):
    """What the runs of one contestant say, alone and beside the reference's run of the same round."""
    def ratios(key):
        return [run[key] / reference[number][key] for number, run in runs
                if number in reference and reference[number][key] > 0]

    def middle(key):
        return statistics.median(run[key] for _, run in runs)

    messages = sum(run['messages'] for _, run in runs)
    return {
        'rate': middle('rate'), 'cpu_us': middle('cpu_us'), 'p50_us': middle('p50_us'), 'p99_us': middle('p99_us'),
        'rate_ratio': quartiles(ratios('rate')), 'cpu_ratio': quartiles(ratios('cpu_us')),
        'server_use': statistics.median(run['cpu_s'] / run['elapsed_s'] for _, run in runs),
        'user_us': sum(run['user_s'] for _, run in runs) / messages * 1e6,
        'user_samples': sum(run['user_samples'] for _, run in runs),
        'others': statistics.mean(run['others'] for _, run in runs),
        'steal': statistics.mean(run['steal'] for _, run in runs),
        'rounds': len(runs),
        'runs': [run for _, run in runs],
    }
