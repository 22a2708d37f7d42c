# SPDX-License-Identifier: MIT
"""The tables that load running servers: echo, hello, static files."""
import contextlib
import subprocess

import contestants
import machine
from contestants import IDLE, echo_key
from report import print_table
from rounds import measure
from servers import Failed, Fleet
from user import run_user


def echo_shapes(quick):
    """(size, connections, depth, idle connections beside)"""
    for size in (64, 16384):
        for connections in (1, 50, 1000):
            for depth in (1, 16):
                yield size, connections, depth, 0
    yield 64, 50, 1, IDLE
    if not quick:
        yield 64, 50, 16, IDLE


def start_idle(bench, server, count, path=None):
    """Idle connections beside; they end when the returned process's input is closed."""
    command = ['taskset', '-c', machine.LOAD_CPU, bench.program('idle'), '-p', str(server.port), '-n', str(count)]
    holder = subprocess.Popen(command + (['-u', path] if path else []), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, preexec_fn=machine.ends_with_parent)
    words = holder.stdout.readline().split()
    if len(words) != 2 or int(words[1]) == 0:
        end_idle(holder)
        raise Failed(f'{server.name}: no idle connections')
    return holder, int(words[1])


def end_idle(holder):
    holder.stdin.close()
    try:
        holder.wait(10)
    except subprocess.TimeoutExpired:
        holder.kill()
        holder.wait()


@contextlib.contextmanager
def idle_beside(bench, servers, count):
    holders = []
    try:
        for server in servers if count else []:
            holder, got = start_idle(bench, server, count)
            holders.append(holder)
            if got < count:
                bench.complain(f'{server.name}: only {got} of {count} idle connections')
        yield
    finally:
        for holder in holders:
            end_idle(holder)


def run_echo(bench):
    with Fleet(bench, contestants.echo(bench)) as servers:
        for size, connections, depth, idle in echo_shapes(bench.quick):
            key = echo_key(size, connections, depth, idle)
            arguments = ['-s', str(size), '-c', str(connections), '-d', str(depth)]
            with idle_beside(bench, servers, idle):
                result = measure(bench, servers, arguments, contestants.REFERENCE_ECHO)
            bench.results[key] = result
            print_table(key, result, contestants.REFERENCE_ECHO, 'messages/s')
        run_user(bench, servers)


def run_tasks(bench):
    with Fleet(bench, contestants.tasks(bench)) as servers:
        for shape in contestants.TASK_SHAPES:
            size, connections, depth = map(str, shape)
            result = measure(bench, servers, ['-s', size, '-c', connections, '-d', depth], contestants.WEFT)
            key = contestants.task_key(*shape)
            bench.results[key] = result
            print_table(key, result, contestants.WEFT, 'messages/s')


def run_udp(bench):
    with Fleet(bench, contestants.datagrams(bench)) as servers:
        for shape in contestants.UDP_SHAPES:
            size, sockets, depth = map(str, shape)
            result = measure(bench, servers, ['-U', '-s', size, '-c', sockets, '-d', depth], contestants.REFERENCE_UDP)
            key = contestants.udp_key(*shape)
            bench.results[key] = result
            print_table(key, result, contestants.REFERENCE_UDP, 'datagrams/s')


def run_http(bench):
    reference = contestants.reference_http(bench)[0]
    with Fleet(bench, contestants.hello(bench)) as servers:
        for depth in (1, 16):
            key = f'hello, 64 connections, depth {depth}'
            result = measure(bench, servers, ['-u', '/', '-c', '64', '-d', str(depth)], reference)
            bench.results[key] = result
            print_table(key, result, reference, 'requests/s')


def run_static(bench):
    fleet = contestants.static(bench)
    with Fleet(bench, fleet) as servers:
        reference = servers[0].name if servers else ''
        for name, connections in (('1k.bin', 64), ('100k.bin', 64), ('10m.bin', 16)):
            key = f'static {name}, {connections} connections'
            result = measure(bench, servers, ['-u', '/' + name, '-c', str(connections)], reference)
            bench.results[key] = result
            print_table(key, result, reference, 'requests/s')
