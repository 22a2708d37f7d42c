# SPDX-License-Identifier: MIT
"""User CPU for a message. The kernel tells user from system time by its ticks only, about 250 a second; perf's clock
looks at what the server does forty times as often."""
import shutil
import subprocess
import tempfile

import contestants
import machine
from report import print_user_table
from rounds import load_once, measure
from servers import Failed

SAMPLES_PER_SECOND = 9999
KERNEL = 1 << 63  # addresses from here on are the kernel's


def perf_record(*arguments):
    return ['perf', 'record', '-q', '-e', 'cpu-clock', '-F', str(SAMPLES_PER_SECOND), *arguments]


def can_sample():
    if not shutil.which('perf'):
        return False
    with tempfile.NamedTemporaryFile() as out:
        return subprocess.run(perf_record('-o', out.name, '--', 'true'), capture_output=True).returncode == 0


def sampled(server, command, timeout):
    """Runs the command; what became of it, and of the server's samples how many there are and how many in user mode."""
    with tempfile.NamedTemporaryFile() as out:
        done = subprocess.run([*perf_record('-o', out.name, '-p', server.pid_list()), '--', *command],
                              capture_output=True, text=True, timeout=timeout, preexec_fn=machine.ends_with_parent)
        script = subprocess.run(['perf', 'script', '-i', out.name, '-F', 'ip'], capture_output=True, text=True)
    addresses = [int(word, 16) for word in script.stdout.split()]
    return done, len(addresses), sum(address < KERNEL for address in addresses)


def sample_once(bench, server, arguments, seconds, warm_up):
    """As load_once, with the user time by perf's samples; the warm-up is sampled, too."""
    counts = []

    def run(command, timeout):
        done, *counts[:] = sampled(server, command, timeout)
        return done

    result = load_once(bench, server, arguments, seconds, warm_up, run)
    samples, in_user_mode = counts
    if not samples:
        raise Failed(f'{server.name}: perf took no samples')
    result['user_s'] = result['cpu_s'] * in_user_mode / samples
    result['user_samples'] = in_user_mode
    return result


def run_user(bench, servers):
    once = sample_once if can_sample() else load_once
    if once is load_once:
        bench.complain('user CPU is by ticks, and coarse: perf is not there or may not sample')
    for depth in (1, 16):
        key = f'user CPU, echo 64 B, 50 connections, depth {depth}'
        result = measure(bench, servers, ['-s', '64', '-c', '50', '-d', str(depth)], contestants.REFERENCE_ECHO,
                         seconds=bench.user_seconds, once=once)
        bench.results[key] = result
        print_user_table(key, result)
