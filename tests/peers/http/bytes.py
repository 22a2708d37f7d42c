#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: bytes.py [--long] [SEED]

Many files, their sizes spread logarithmically from nothing, fetched over many connections at once: each comes back
with the SHA-256 that Python computed from the file. One read in a hundred is followed by a pause. Without --long: 500
files of at most 8 MiB, 64 MiB in all, 50 connections. With it: 10,000 files of at most 1 GiB, 20 GiB in all (which
are sparse but for their ends and some places between), 200 connections; half the space that is free bounds it, too."""
import hashlib
import os
import random
import shutil
import sys
import threading
import time

import kit

PAUSE = 0.01
MIB, GIB = 1 << 20, 1 << 30
REACH = 64 * 1024  # the most that is written in one place of a large file


def sizes(chance, count, largest, total):
    """As many sizes, of which the logarithms are spread evenly; what would go over the total is made small."""
    chosen = [0, largest] + [int(2 ** chance.uniform(0, largest.bit_length() - 1)) - 1 for _ in range(count - 2)]
    left = total
    for i, size in enumerate(chosen):
        if size > left - (count - i) * 1000:
            chosen[i] = size = size % 1000
        left -= size
    chance.shuffle(chosen)
    return chosen


def make(path, size, chance):
    """A file of that size: random bytes at its ends and here and there, nothing between. Returns its digest."""
    with open(path, "wb") as file:
        if size <= 4 * REACH:
            file.write(chance.randbytes(size))
        else:
            for place in [0, size - REACH, *(chance.randrange(size - REACH) for _ in range(3))]:
                file.seek(place)
                file.write(chance.randbytes(REACH))
    os.utime(path, (1e9, 1e9))
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest() if hasattr(hashlib, "file_digest") else digest_of(file)


def digest_of(file):
    digest = hashlib.sha256()
    while piece := file.read(MIB):
        digest.update(piece)
    return digest.digest()


class Client(threading.Thread):
    """Takes names from the list until there are none, over one connection; every tenth request begins a new one."""

    def __init__(self, port, work, lock, seed, piece):
        super().__init__(daemon=True)
        self.port, self.work, self.lock, self.piece = port, work, lock, piece
        self.chance = random.Random(seed)
        self.failure, self.bytes, self.pauses = None, 0, 0

    def fetch(self, connection, name, size, digest):
        connection.send(f"GET /{name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = connection.head()
        assert head.status == 200 and head.get("Content-Length") == str(size), (name, size, head)
        seen, left = hashlib.sha256(connection.buffer), size - len(connection.buffer)
        connection.buffer = b""
        while left > 0:
            piece = connection.socket.recv(min(left, self.piece))
            assert piece, f"{name}: the connection ended with {left} of {size} bytes to come"
            seen.update(piece)
            left -= len(piece)
            if self.chance.random() < 0.01:
                self.pauses += 1
                time.sleep(PAUSE)
        assert left == 0 and seen.digest() == digest, f"{name}: {size} bytes came with another digest"
        self.bytes += size

    def run(self):
        connection = None
        try:
            while True:
                with self.lock:
                    if not self.work:
                        return
                    name, size, digest = self.work.pop()
                if not connection or self.chance.random() < 0.1:
                    if connection:
                        connection.close()
                    connection = kit.Connection(self.port)
                self.fetch(connection, name, size, digest)
        except Exception as failure:
            self.failure = failure
        finally:
            if connection:
                connection.close()


def main():
    arguments = sys.argv[1:]
    long = "--long" in arguments
    seeds = [int(argument) for argument in arguments if argument != "--long"]
    seed = seeds[0] if seeds else random.SystemRandom().randrange(1 << 32)
    count, largest, total, clients = (10_000, GIB, 20 * GIB, 200) if long else (500, 8 * MIB, 64 * MIB, 50)
    total = min(total, shutil.disk_usage(kit.BUILD).free // 2)
    largest = min(largest, total // 2)
    chance = random.Random(seed)
    print(f"seed {seed}: {count} files of at most {largest} bytes, {total} in all", flush=True)
    with kit.folder() as root:
        work = []
        for i, size in enumerate(sizes(chance, count, largest, total)):
            name = f"{i % 100}/{i}.bin"
            os.makedirs(os.path.join(root, str(i % 100)), exist_ok=True)
            work.append((name, size, make(os.path.join(root, name), size, chance)))
        whole = sum(size for _, size, _ in work)
        with kit.web(root, "--workers", "2") as server, kit.Probe(server.port, "/0/0.bin" if work[0][1] < MIB else "/",
                                                                  bound=30):
            lock, start = threading.Lock(), time.monotonic()
            threads = [Client(server.port, work, lock, f"{seed} {i}", 1 << 18 if long else 1 << 14)
                       for i in range(clients)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    failures = [thread.failure for thread in threads if thread.failure]
    for failure in failures:
        print(f"FAIL  {failure!r}")
    moved = sum(thread.bytes for thread in threads)
    print(f"{count} files, {moved} bytes over {clients} connections, {sum(t.pauses for t in threads)} pauses, "
          f"{time.monotonic() - start:.1f} s: {len(failures)} failures")
    sys.exit(1 if failures or moved != whole else 0)


main()
