# SPDX-License-Identifier: MIT
"""What the figures say of each target. A verdict informs; it never decides an exit status."""
from contestants import (LEVEL_KEYS, REFERENCE_POST, REFERENCE_SWITCH, TASK_SHAPES, TWIN, UDP_SHAPES, WEFT, WEFT_TASK,
                         task_key, udp_key)
from report import is_level, spread, twin_of, user_error
from rounds import overlap, quartiles

MET, NOT_MET, UNSURE = 'met', 'not met', 'needs quiet machine'
NOISE = 0.15  # an A/A pair whose quartiles are further apart than this says nothing about ten per cent


def noisy(result, key='rate_ratio'):
    twin = twin_of(result)
    pair = result[twin][key] if twin else None
    return not pair or pair[2] - pair[0] > NOISE


def level(result, key='rate_ratio'):
    """Level with the reference, or better than it."""
    ratio = result[WEFT][key]
    if not ratio:
        return UNSURE, 'no round had both'
    better = ratio[1] >= 1 if key == 'rate_ratio' else ratio[1] <= 1
    figure = f'{spread(ratio)}, A/A {spread(result[twin_of(result)][key]) if twin_of(result) else "-"}'
    if is_level(result, WEFT, key) or better:
        return (UNSURE if noisy(result, key) else MET), figure
    return (UNSURE if noisy(result, key) else NOT_MET), figure


def at_least(result, limit, name=WEFT):
    ratio = result[name]['rate_ratio']
    if not ratio:
        return UNSURE, 'no round had both'
    straddles = ratio[0] < limit < ratio[2]
    if straddles and noisy(result):
        return UNSURE, spread(ratio)
    return (MET if ratio[1] >= limit else NOT_MET), spread(ratio)


def ahead_of(result, peers):
    """Of each peer that ran: more requests a second by the median of the rounds, and less CPU for each."""
    ours, figures, good, close = result[WEFT], [], True, False
    for peer in peers:
        if peer not in result:
            continue
        rate = ours['rate_ratio'][1] / result[peer]['rate_ratio'][1]
        cpu = ours['cpu_ratio'][1] / result[peer]['cpu_ratio'][1]
        figures.append(f'{peer} {rate:.2f} × the requests, {cpu:.2f} × the CPU')
        good = good and rate >= 1
        close = close or abs(rate - 1) < 0.05
    if not figures:
        return None
    return (UNSURE if close and noisy(result) else MET if good else NOT_MET), '; '.join(figures)


def at_most(value, limit, unit, error=0.0):
    figure = f'{value:.4g} {unit}' + (f' ± {error:.2g}' if error else '')
    if error and abs(value - limit) < error:
        return UNSURE, figure
    return (MET if value <= limit else NOT_MET), figure


def loads(results):
    def has(key):
        return WEFT in results.get(key, {})

    for key in LEVEL_KEYS:
        if has(key):
            yield f'{key}: level with the bare loop', level(results[key])
    for key in (udp_key(*shape) for shape in UDP_SHAPES):
        if has(key):
            yield f'{key}: level with the bare loop', level(results[key])
    key = 'echo 16384 B, 50 connections, depth 16'
    if has(key):
        yield f'{key}: ≥ 1.4 of the bare loop', at_least(results[key], 1.4)
    key = 'user CPU, echo 64 B, 50 connections, depth 1'
    if has(key):
        row = results[key][WEFT]
        yield 'echo 64 B: user CPU ≤ 0.20 µs', at_most(row['user_us'], 0.20, 'µs', user_error(row))
    for depth, limit in ((1, 0.90), (16, 0.80)):
        key = f'hello, 64 connections, depth {depth}'
        if has(key):
            yield f'{key}: ≥ {limit:.2f} of the strict loop', at_least(results[key], limit)
            ahead = ahead_of(results[key], ('nginx', 'h2o', 'lighttpd'))
            if ahead:
                yield f'{key}: ahead of the servers', ahead
    for name, connections, limit in (('1k.bin', 64, 1.2), ('100k.bin', 64, 1.1)):
        key = f'static {name}, {connections} connections'
        if has(key) and 'nginx' in results[key]:
            yield f'{key}: ≥ {limit} of nginx', at_least(results[key], limit)
    key = 'static 10m.bin, 16 connections'
    if has(key) and 'nginx' in results[key]:
        yield f'{key}: level with nginx in CPU', level(results[key], 'cpu_ratio')


def counts(results):
    for kind, limit in (('TCP', 256), ('HTTP', 400)):
        row = results.get(f'memory, {kind}', {}).get(WEFT)
        if row:
            yield f'idle {kind} connection ≤ {limit} B', at_most(row['bytes_each'], limit, 'B')
    row = results.get('system calls, echo 64 B, 50 connections, depth 1', {}).get(WEFT)
    if row and 'all' in row:
        yield 'echo, 50 connections: ≤ 2.1 system calls', at_most(row['all'], 2.1, 'calls')


def timers(results):
    row = results.get('timers, 1000000 pending', {}).get(WEFT, {})
    for column, limit in (('start', 10), ('restart', 20), ('stop', 15), ('fire', 200)):
        if column in row:
            yield f'a million timers, {column} ≤ {limit} ns', at_most(row[column], limit, 'ns')


def at_most_ns(figure, limit):
    """Nanoseconds of a program that measures itself. The machine has a slow and a fast speed: where the limit is kept in
    the fast one only, nothing is decided."""
    first, middle, third = quartiles(figure['runs'])
    fastest = min(figure['runs'])
    text = f'{middle:.1f} ns [{first:.1f}–{third:.1f}], fastest {fastest:.1f}'
    return (MET if middle <= limit else UNSURE if fastest <= limit else NOT_MET), text


def not_slower(result, reference, column):
    """Of programs that measure themselves: no slower than the reference, as far as its twin can tell."""
    ratio, twin = result[WEFT][column]['ratio'], result.get(reference + TWIN, {}).get(column, {}).get('ratio')
    if not ratio:
        return UNSURE, 'no round had both'
    figure = f'{result[WEFT][column]["ns"]:.1f} ns, {spread(ratio)}, A/A {spread(twin)}'
    if ratio[1] <= 1 or overlap(ratio, twin):
        return MET, figure
    return (UNSURE if not twin or twin[2] - twin[0] > NOISE else NOT_MET), figure


def waiting(results):
    table = results.get('switch between stacks', {})
    if WEFT in table and REFERENCE_SWITCH in table:
        for column in ('switch', 'of 1000'):
            yield f'switch between stacks, {column}: no slower than Boost', not_slower(table, REFERENCE_SWITCH, column)
    row = results.get('waiting', {}).get(WEFT, {})
    if 'deferred' in row:
        yield 'a deferred with three callbacks ≤ 60 ns', at_most_ns(row['deferred'], 60)
    table = results.get('posts from another thread', {})
    if WEFT in table and REFERENCE_POST in table:
        yield 'a wake-up from another thread: level with a bare eventfd', not_slower(table, REFERENCE_POST, 'post, alone')
        yield 'a post while another is pending ≤ 10 ns', at_most_ns(table[WEFT]['post, pending'], 10)
    for key in (task_key(*shape) for shape in TASK_SHAPES):
        if WEFT_TASK in results.get(key, {}):
            yield f'{key}: ≥ 0.9 of callbacks', at_least(results[key], 0.9, WEFT_TASK)
    row = results.get('memory, TCP', {}).get(WEFT_TASK)
    if row:
        yield 'a parked task with its connection ≤ 8 KiB', at_most(row['bytes_each'], 8192, 'B')
    for key, result in results.items():
        if key.startswith('client, ') and WEFT in result:
            ahead = ahead_of(result, ('libcurl',))
            if ahead:
                yield f'{key}: ahead of libcurl', ahead


def verdicts(results):
    return [(target, *judged) for source in (loads, counts, timers, waiting) for target, judged in source(results)]
