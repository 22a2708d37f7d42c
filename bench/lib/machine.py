# SPDX-License-Identifier: MIT
"""The machine: what it is, how busy it is, and a quiet corner of it (namespaces, priority)."""
import ctypes
import fcntl
import os
import platform
import resource
import shutil
import signal
import socket
import struct
import subprocess

SERVER_CPU, LOAD_CPU = '0', '1'
HZ = os.sysconf('SC_CLK_TCK')
CONGESTION = '/proc/sys/net/ipv4/tcp_congestion_control'
TRACING = '/sys/kernel/tracing'

CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
PR_SET_PDEATHSIG = 1
SIOCSIFFLAGS, IFF_UP = 0x8914, 1

libc = ctypes.CDLL(None, use_errno=True)


def read(path):
    try:
        with open(path, encoding='ascii', errors='replace') as file:
            return file.read().strip()
    except OSError:
        return ''


def write(path, text):
    try:
        with open(path, 'w', encoding='ascii') as file:
            file.write(text)
        return True
    except OSError:
        return False


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack('16sh14x', b'lo', IFF_UP))


def isolate():
    """A network and a mount namespace of our own, if we may: nobody else's packets, settings of our own."""
    if libc.unshare(CLONE_NEWNS | CLONE_NEWNET) < 0:
        return False
    libc.mount(b'none', b'/', None, MS_REC | MS_PRIVATE, None)
    loopback_up()
    write('/proc/sys/net/ipv4/ip_local_port_range', '10000 65000')
    # BBR paces by timers, which says nothing about servers on loopback.
    if not write(CONGESTION, 'cubic'):
        write(CONGESTION, 'reno')
    return True


def raise_file_limit():
    """For all that is started: not every contestant asks for more descriptors itself."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def mount_tracing():
    """perf counts system calls through tracefs; in our mount namespace it can be mounted without a trace."""
    if os.path.isdir(TRACING + '/events/raw_syscalls'):
        return True
    libc.mount(b'tracefs', TRACING.encode(), b'tracefs', 0, None)
    return os.path.isdir(TRACING + '/events/raw_syscalls')


def priority():
    """The command that runs another above what else the machine does."""
    for command in (['chrt', '-r', '10'], ['nice', '-n', '-15']):
        if shutil.which(command[0]) and subprocess.run(command + ['true'], stderr=subprocess.DEVNULL).returncode == 0:
            if command[0] == 'chrt' or os.geteuid() == 0:
                return command
    return []


def ends_with_parent():
    """For preexec_fn: the child is told to end if this program dies."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _cpu_fields():
    return [int(field) for field in read('/proc/stat').splitlines()[0].split()[1:]]


def idle_seconds():
    """Of all CPUs together. (The times of work are samples by ticks; those of idling are exact.)"""
    fields = _cpu_fields()
    return (fields[3] + fields[4]) / HZ


def steal_seconds():
    return _cpu_fields()[7] / HZ


def describe(isolated, run_with):
    model = next((line.split(':', 1)[1].strip() for line in read('/proc/cpuinfo').splitlines()
                  if line.startswith('model name')), platform.machine())
    return {
        'kernel': platform.release(),
        'cpu': model,
        'cpus': os.cpu_count(),
        'memory_mib': os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') >> 20,
        'tcp_congestion_control': read(CONGESTION),
        'own_network_namespace': isolated,
        'priority': ' '.join(run_with) or 'normal',
        'load_average_before': read('/proc/loadavg').split()[0],
        'files': resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        'clock_source': read('/sys/devices/system/clocksource/clocksource0/current_clocksource'),
    }
