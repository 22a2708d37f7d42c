# SPDX-License-Identifier: MIT
"""Starting and ending the contestants."""
import os
import shutil
import signal
import socket
import subprocess
import time

import machine

READY_SECONDS = 10
END_SECONDS = 3


class Failed(Exception):
    """A contestant or a load did not do what it should; its table goes on without it."""


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def descendants(pid):
    """The process and all that came from it."""
    children = {}
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            stat = machine.read(f'/proc/{entry}/stat')
            if stat:
                children.setdefault(int(stat[stat.rindex(')') + 2:].split()[1]), []).append(int(entry))
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        todo += children.get(one, [])
    return found


def pss_bytes(pids):
    """What these processes hold of memory, shared pages divided among those who share them."""
    total = 0
    for pid in pids:
        for line in machine.read(f'/proc/{pid}/smaps_rollup').splitlines():
            if line.startswith('Pss:'):
                total += int(line.split()[1]) * 1024
    return total


def open_files(pids):
    return sum(len(os.listdir(f'/proc/{pid}/fd')) for pid in pids)


class Server:
    """A contestant that runs. `command` has {port} and {dir} where they belong."""

    def __init__(self, name, command, log_folder, run_with, configure):
        self.name = name
        self.port = free_port()
        self.process = None
        configure(self.port)
        self.datagrams = any('{udp}' in part for part in command)
        command = [part.replace('{udp}', '{port}') for part in command]
        self.command = [part.replace('{port}', str(self.port)).replace('{dir}', log_folder) for part in command]
        self.log_path = os.path.join(log_folder, 'output.log')
        with open(self.log_path, 'wb') as log:
            self.process = subprocess.Popen([*run_with, 'taskset', '-c', machine.SERVER_CPU, *self.command], stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
                                            preexec_fn=machine.ends_with_parent)
        try:
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        self.pids = descendants(self.process.pid)

    def wait_until_ready(self):
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            try:
                self.knock()
                time.sleep(0.05)
                return
            except OSError:
                time.sleep(0.02)
        with open(self.log_path, encoding='utf-8', errors='replace') as log:
            raise Failed(f'{self.name} does not start: {" ".join(self.command)}: {log.read()[-300:].strip()}')

    def knock(self):
        """Raises OSError if nobody is there."""
        if not self.datagrams:
            socket.create_connection(('127.0.0.1', self.port), 0.5).close()
            return
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.5)
            probe.connect(('127.0.0.1', self.port))
            probe.send(b'knock')
            probe.recv(16)

    def pid_list(self):
        return ','.join(map(str, self.pids))

    def signal_all(self, number):
        for pid in reversed(descendants(self.process.pid)):
            try:
                os.kill(pid, number)
            except OSError:
                pass

    def stop(self):
        """Ends it and what it started, by process number."""
        if self.process is None or self.process.poll() is not None:
            return
        known = descendants(self.process.pid)
        self.signal_all(signal.SIGTERM)
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.signal_all(signal.SIGTERM)  # a second one: at once, for those who finish gracefully
            try:
                self.process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self.signal_all(signal.SIGKILL)
                self.process.wait()
        for pid in known[1:]:  # a helper process that outlived its parent; its session shows that it is ours
            try:
                if os.getsid(pid) == self.process.pid:
                    os.kill(pid, signal.SIGKILL)
            except OSError:
                pass


class Fleet:
    """Contestants that are up together: `with Fleet(...) as servers`. One that does not start is left out."""

    def __init__(self, bench, contestants):
        self.bench, self.contestants = bench, contestants
        self.servers = []

    def __enter__(self):
        for name, command in self.contestants:
            try:
                self.servers.append(self.bench.start(name, command))
            except Failed as why:
                self.bench.complain(str(why))
            except BaseException:
                self.__exit__()
                raise
        return self.servers

    def __exit__(self, *unused):
        for server in self.servers:
            server.stop()


def found(program):
    return shutil.which(program, path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin')
