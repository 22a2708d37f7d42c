#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""EL-30: a server that stops while many connect. Whoever was connected before is answered, or sees a clean end, but is
not reset."""
import collections
import concurrent.futures
import os
import re
import signal
import socket
import tempfile
import threading

import kit
from faultkit import SMALL, Site

CROWD = 400


def how_it_went(connection):
    """"answered", "ended" without an answer, "reset", or what is wrong."""
    with connection:
        try:
            response = connection.response()
        except kit.Closed as closed:
            return repr(closed) if closed.partial else {"eof": "ended"}.get(closed.how, closed.how)
        return "answered" if response.status == 200 and response.body == SMALL else repr(response)


def asked(port):
    connection = kit.Connection(port)
    connection.send(b"GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return connection


def check(connections, site):
    """All look at once, as many clients do: one who does not see the end keeps its place until the server gives up."""
    with concurrent.futures.ThreadPoolExecutor(len(connections)) as crowd:
        counts = collections.Counter(crowd.map(how_it_went, connections))
    print(f"  {dict(counts)}")
    assert set(counts) <= {"answered", "ended"}, counts
    assert site.server.wait() == 0
    assert re.search(r"stopped: \d+ connections drained, 0 cut off", site.server.text()), site.server.text()


def stopped_behind_a_crowd(*options):
    """The server sleeps while the crowd comes and the signal is sent: then most of it waits in the backlogs."""
    with Site("--workers", "2", *options, size=0, watch=False) as site:
        os.kill(site.server.pid, signal.SIGSTOP)
        connections = [asked(site.port) for _ in range(CROWD)]
        site.server.signal()
        os.kill(site.server.pid, signal.SIGCONT)
        check(connections, site)


def test_el_30_a_crowd_in_the_backlog():
    stopped_behind_a_crowd()


def test_el_30_a_crowd_in_the_backlog_and_few_places():
    stopped_behind_a_crowd("--max-connections", "20")


def test_el_30_a_storm():
    for _ in range(5):
        with Site("--workers", "2", size=0, watch=False) as site:
            early, late, stopping = [], [], threading.Event()

            def storm():
                while not stopping.is_set():
                    try:
                        connection = asked(site.port)
                    except OSError:
                        return  # from the moment at which nobody listens any more
                    (late if stopping.is_set() else early).append(connection)

            threads = [threading.Thread(target=storm) for _ in range(4)]
            for thread in threads:
                thread.start()
            kit.eventually("the storm rages", lambda: len(early) > 200)
            before = list(early)
            stopping.set()
            site.server.signal()
            for thread in threads:
                thread.join(kit.PATIENCE)
            for connection in early[len(before):] + late:  # they came too late to be promised anything
                connection.close()
            check(before, site)


def test_el_30_a_unix_socket():
    with tempfile.TemporaryDirectory() as short:
        stop_behind_a_crowd_at(os.path.join(short, "socket"))


def stop_behind_a_crowd_at(path):
    with Site("--listen", f"unix://{path}", size=0, watch=False, listeners=2) as site:
        os.kill(site.server.pid, signal.SIGSTOP)
        peers = []
        for _ in range(100):
            peer = socket.socket(socket.AF_UNIX)
            peer.settimeout(kit.PATIENCE)
            peer.connect(path)
            peer.sendall(b"GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n")
            peers.append(peer)
        site.server.signal()
        os.kill(site.server.pid, signal.SIGCONT)
        for peer in peers:
            while peer.recv(1 << 16):  # a reset is an exception
                pass
            peer.close()
        assert site.server.wait() == 0
        assert not os.path.exists(path), "the path is left behind"


kit.main(globals())
