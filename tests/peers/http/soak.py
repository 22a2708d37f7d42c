#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: soak.py [CONNECTIONS]

A million connections (or as many as are asked for), one after the other and some at once, of every kind: kept and not,
small and large, refused, broken off. Afterwards the server holds no more descriptors than before, and its resident
memory is within one in a hundred what it was after a hundred thousand to warm up: libc's heap takes a last step of
some 80 KiB before that, and none in the million after it."""
import random
import sys
import threading

import kit

WARM, WARM_AT_ONCE = 100_000, 40  # with more at once than later, so that what is kept for the busiest moment is there
AT_ONCE = 8
KINDS = [b"GET /small HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
         b"GET /small HTTP/1.0\r\n\r\n",
         b"GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3,
         b"GET /missing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
         b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
         b"GET /large HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-9,20-29\r\nConnection: close\r\n\r\n",
         b"GET /large HTTP/1.0\r\n\r\n",
         b"POST /small HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
         b"nonsense\r\n\r\n", b"GET / HT", b""]


def one(port, chance):
    with kit.Connection(port) as connection:
        request = chance.choice(KINDS)
        if request:
            connection.send(request)
        how = chance.random()
        if how < 0.1:
            connection.reset()
        elif how < 0.3 or not request.endswith(b"\n\n") and b"close" not in request and b"1.0" not in request:
            connection.half_close()
            connection.ended()
        else:
            connection.ended()


def many(port, count, failures, seed):
    chance = random.Random(seed)
    try:
        for _ in range(count):
            one(port, chance)
    except Exception as failure:
        failures.append(failure)


def crowd(port, count, at_once, seed):
    failures = []
    threads = [threading.Thread(target=many,
                                args=(port, count // at_once, failures, f"{seed} {i}")) for i in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]


def main():
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}, {total} connections", flush=True)
    with kit.folder() as root:
        kit.write(root, "small", b"x" * 1000)
        kit.write(root, "large", bytes(100_000))
        with kit.web(root) as server:
            open_before = kit.descriptors(server.pid)
            crowd(server.port, WARM, WARM_AT_ONCE, f"{seed} warm")
            kit.eventually("all connections are closed", lambda: kit.descriptors(server.pid) <= open_before)
            before = kit.rss(server.pid)
            for part in range(10):
                crowd(server.port, total // 10, AT_ONCE, f"{seed} {part}")
                print(f"{(part + 1) * 10} %: {kit.rss(server.pid)} bytes resident, {before} before", flush=True)
            kit.eventually("all connections are closed", lambda: kit.descriptors(server.pid) <= open_before)
            after = kit.rss(server.pid)
    assert kit.sanitized() or after <= before * 1.01, f"{after - before} bytes more are resident than before"


main()
