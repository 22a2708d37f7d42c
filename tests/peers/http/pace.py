#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients that go on, but too slowly, are sent away; those that are just fast enough are not. Attack rows by ID in the
names of the tests."""
import threading
import time

import kit
from faultkit import MIB, Site, begun, received


def test_h1_17_a_body_slower_than_the_least_rate():
    with kit.echo() as server, kit.Probe(server.port):
        with kit.Connection(server.port) as connection:
            connection.send(b"POST /slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n")
            for _ in range(kit.PATIENCE):
                if not connection.send_until_refused(b"x"):
                    break
                time.sleep(1)
            else:
                raise AssertionError("it was never sent away")
            response = connection.response()
            assert response.status == 408 and response.get("Connection") == "close", response


def test_h1_17_a_body_that_is_slow_but_fast_enough():
    with kit.echo() as server:
        with kit.Connection(server.port) as connection:
            connection.send(b"POST /slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\n")
            for _ in range(9):  # 1000 bytes a second, for longer than the grace
                connection.send(b"x" * 1000)
                time.sleep(1)
            assert connection.response().status == 200


def takes(site, failures, pause, seconds, outcome):
    """Reads 16 KiB after each pause for so many seconds at most; then all that still comes."""
    try:
        connection, length = begun(site.port)
        over, got = time.monotonic() + seconds, 0
        with connection:
            try:
                while time.monotonic() < over:
                    got += len(connection._exactly(16384))
                    time.sleep(pause)
            except kit.Closed as closed:
                got, how = got + len(closed.partial), closed.how
            else:
                rest, how = received(connection, length - got)
                got += len(rest)
        assert (how == "whole") == (outcome == "whole") and (got == length) == (outcome == "whole"), (how, got, length)
    except Exception as failure:
        failures.append(failure)


def test_h1_18_readers_slower_and_faster_than_the_least_rate():
    """The system's buffers are large, and tell the sender nothing while they are not nearly empty."""
    failures = []
    with Site("--min-rate", "100m", size=256 * MIB, watch=False) as strict, Site(size=64 * MIB, watch=False) as usual:
        threads = [threading.Thread(target=takes, args=(strict, failures, 0.05, 50, "cut off")),
                   threading.Thread(target=takes, args=(usual, failures, 1, 35, "whole"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2 * kit.PATIENCE)
            assert not thread.is_alive(), "a client neither got all nor was sent away"
    assert not failures, failures


kit.main(globals())
