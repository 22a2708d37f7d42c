# SPDX-License-Identifier: MIT
"""System calls for each message, counted at full speed by perf's tracepoints, else (slower) by strace."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

import contestants
import machine
from report import print_syscalls
from rounds import load_command
from servers import Failed, Fleet

COMMON = '''read write recvfrom recvmsg sendto sendmsg writev readv epoll_wait epoll_pwait epoll_ctl ioctl futex
    sendfile64 setsockopt getsockopt openat openat2 newfstat newfstatat statx close fcntl poll accept4 pread64 preadv2
    mmap munmap madvise brk timerfd_settime shutdown io_uring_enter'''.split()
SECONDS = 0.4


def events():
    named = [name for name in COMMON if os.path.isdir(f'{machine.TRACING}/events/syscalls/sys_enter_{name}')]
    return ['raw_syscalls:sys_enter'] + ['syscalls:sys_enter_' + name for name in named]


def count_with_perf(server, load):
    with tempfile.NamedTemporaryFile() as out:
        done = subprocess.run(['perf', 'stat', '-x', ';', '-o', out.name, '-p', server.pid_list(),
                               '-e', ','.join(events()), '--', *load],
                              capture_output=True, text=True, timeout=60, preexec_fn=machine.ends_with_parent)
        text = machine.read(out.name)
    counts = {}
    for line in text.splitlines():
        fields = line.split(';')
        if len(fields) > 2 and fields[0].isdigit():
            counts[fields[2].split('sys_enter')[-1].lstrip('_') or 'all'] = int(fields[0])
    return done.stdout, counts


def count_with_strace(server, load):
    with tempfile.NamedTemporaryFile() as out:
        tracer = subprocess.Popen(['strace', '-f', '-c', '-q', '-o', out.name,
                                   *[part for pid in server.pids for part in ('-p', str(pid))]],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  preexec_fn=machine.ends_with_parent)
        try:
            time.sleep(0.3)
            done = subprocess.run(load, capture_output=True, text=True, timeout=60)
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait()
        rows = re.findall(r'^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$', machine.read(out.name), re.M)
    counts = {name: int(calls) for calls, name in rows}
    counts['all'] = counts.pop('total', sum(counts.values()))
    return done.stdout, counts


def counter():
    if shutil.which('perf') and machine.mount_tracing():
        return count_with_perf, 'perf'
    return (count_with_strace, 'strace') if shutil.which('strace') else (None, '')


def per_message(bench, count, server, arguments):
    load = load_command(bench, server, arguments, SECONDS, 0)
    out, counts = count(server, load)
    try:
        messages = json.loads(out)['messages']
        return {name: calls / messages for name, calls in counts.items()}
    except (ValueError, KeyError, ZeroDivisionError):
        raise Failed(f'{server.name}: system calls could not be counted') from None


def run_table(bench, count, key, fleet, shapes):
    with Fleet(bench, fleet) as servers:
        for title, arguments in shapes:
            result = {}
            for server in servers:
                if server.name.endswith(contestants.TWIN):
                    continue
                try:
                    result[server.name] = per_message(bench, count, server, arguments)
                except Failed as why:
                    bench.complain(str(why))
            bench.results[f'{key}, {title}'] = result
            print_syscalls(f'{key}, {title}', result)


def run_syscalls(bench):
    count, tool = counter()
    if not count:
        bench.complain('system calls are not counted: neither perf with tracefs nor strace is there')
        return
    print(f'\n(system calls are counted with {tool})')
    echo = [(f'{n} connections, depth {d}', ['-s', '64', '-c', str(n), '-d', str(d)]) for n, d in ((1, 1), (50, 1))]
    run_table(bench, count, 'system calls, echo 64 B', contestants.echo(bench), echo)
    run_table(bench, count, 'system calls, hello', contestants.hello(bench),
              [('64 connections, depth 1', ['-u', '/', '-c', '64', '-d', '1'])])
    run_table(bench, count, 'system calls, static', contestants.static(bench),
              [(f'{name}, 64 connections', ['-u', '/' + name, '-c', '64']) for name in ('1k.bin', '100k.bin')])
