# SPDX-License-Identifier: MIT
"""What the tests of faults share: a served folder with a bystander who must not be disturbed, and downloads that are
under way."""
import os
import random

import kit

MIB = 1 << 20
SMALL = b"small\n"
TIGHT = 4096  # a receive buffer that makes the sender wait


def big(root, name="big", size=64 * MIB):
    """A file whose every block is different, made without much work. Returns what is in it."""
    block = random.Random(size).randbytes(MIB)
    data = b"".join(block[i % 997:] + block[:i % 997] for i in range(size // MIB))
    kit.write(root, name, data)
    kit.write(root, "small", SMALL)
    return data


class Site:
    """A served folder with /small and, if asked for, /big, and a bystander that asks for /small all the time."""

    def __init__(self, *options, size=64 * MIB, watch=True, **rest):
        self.options, self.size, self.watch, self.rest = options, size, watch, rest

    def __enter__(self):
        self.temporary = kit.folder()
        self.root = self.temporary.name
        kit.write(self.root, "small", SMALL)
        self.data = big(self.root, size=self.size) if self.size else b""
        self.server = kit.web(self.root, *self.options, **self.rest)
        self.port = self.server.port
        self.probe = kit.Probe(self.port, "/small")
        if self.watch:
            self.probe.__enter__()
        return self

    def __exit__(self, *how):
        try:
            if self.watch:
                self.probe.__exit__(*how)
        finally:
            self.server.__exit__(*how)
            self.temporary.cleanup()


def ask(port, target="/big", more="", receive_buffer=TIGHT):
    connection = kit.Connection(port, receive_buffer)
    connection.send(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode())
    return connection


def begun(port, target="/big"):
    """A download of which the head was read and whose sender has to wait."""
    connection = ask(port, target)
    response = connection.head()
    assert response.status == 200
    return connection, int(response.get("Content-Length"))


def received(connection, length):
    """What comes of a body of that length, and how it ends: "whole", "eof" or "reset"."""
    try:
        return connection._exactly(length), "whole"
    except kit.Closed as closed:
        return closed.partial, closed.how


def answered(port):
    try:
        return kit.fetch(port, "/small").status == 200
    except (kit.Closed, ConnectionError):
        return False


def crowd(port, count):
    """Connections beyond what the server may have: what cannot be made is left out."""
    connections = []
    for _ in range(count):
        connections.append(kit.Connection(port))
    return connections
