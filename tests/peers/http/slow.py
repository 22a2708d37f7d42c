#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients that are slow, silent or greedy: each is sent away or waits, and costs little. A bystander is served all
the while. Attack rows by ID in the names of the tests."""
import re
import shutil
import socket
import subprocess
import threading
import time

import kit
from faultkit import MIB, SMALL, Site, TIGHT, begun, big, received


def test_h1_18_a_client_that_reads_a_byte_a_second():
    with Site() as site:
        connection, length = begun(site.port)
        with connection:
            first = b"".join(connection._exactly(1) for _ in range(5) if not time.sleep(1))
            rest, how = received(connection, length - 5)
            assert how == "whole" and kit.sha256(first + rest) == kit.sha256(site.data)


def dribble(port, text, pause, failures, last):
    """Sends a byte at a time, for as long as the other end takes them; then sees how it ended."""
    try:
        with kit.Connection(port) as connection:
            for byte in text:
                if not connection.send_until_refused(bytes([byte])):
                    break
                time.sleep(pause)
            else:
                raise AssertionError("everything was taken")
            answers = b""
            try:
                answers = connection.rest()
            except kit.Closed as closed:
                answers = closed.partial
            statuses = re.findall(rb"HTTP/1\.1 (\d+)", answers)
            assert statuses == last, (statuses, answers[:200])
    except Exception as failure:
        failures.append(failure)


def dribblers(port, text, last, count=30):
    failures = []
    threads = [threading.Thread(target=dribble, args=(port, text, 0.05, failures, last)) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(kit.PATIENCE)
        assert not thread.is_alive(), "a client was never sent away"
    assert not failures, failures[0]


def test_h1_16_headers_that_come_byte_by_byte():
    with Site("--header-timeout", "1s", size=0) as site:
        dribblers(site.port, b"GET /small HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 200, [b"408"])


def test_h1_16_headers_that_come_byte_by_byte_after_a_request():
    with Site("--header-timeout", "1s", size=0) as site:
        request = b"GET /small HTTP/1.1\r\nHost: localhost\r\n"
        failures = []
        with kit.Connection(site.port) as connection:
            assert connection.request(target="/small").status == 200
            for byte in request + b"X: y\r\n" * 200:
                if not connection.send_until_refused(bytes([byte])):
                    break
                time.sleep(0.05)
            else:
                failures.append("everything was taken")
            assert connection.response().status == 408
        assert not failures, failures


def test_h1_16_silence():
    with Site("--header-timeout", "500ms", "--idle-timeout", "600ms", size=0) as site:
        with kit.Connection(site.port) as silent, kit.Connection(site.port) as idle:
            assert idle.request(target="/small").status == 200
            assert silent.response().status == 408
            assert silent.ended()[0] == b"" and idle.ended()[0] == b""


def test_h1_17_a_body_that_comes_byte_by_byte():
    with Site("--body-timeout", "1s", size=0) as site:
        head = b"POST /small HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n"
        failures = []
        with kit.Connection(site.port) as connection:
            connection.send(head)
            assert connection.response().status == 405
            for _ in range(1000):
                if not connection.send_until_refused(b"x"):
                    break
                time.sleep(0.05)
            else:
                failures.append("everything was taken")
        assert not failures, failures


def test_h1_16_17_18_slowhttptest():
    if not shutil.which("slowhttptest"):
        print("  slowhttptest is not installed")
        return
    with Site("--header-timeout", "2s", "--body-timeout", "2s", "--write-timeout", "2s", "-w", "2",
              size=4 * MIB) as site:
        modes = [["-H", "-i", "1"], ["-B", "-i", "1", "-s", "5000"],
                 ["-X", "-w", "512", "-y", "1024", "-n", "1", "-z", "32"],
                 ["-R"]]
        running = [subprocess.Popen(["slowhttptest", *mode, "-c", "100", "-r", "100", "-l", "5", "-p", "5", "-u",
                                     f"{site.server.url}/big"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                    stdin=subprocess.DEVNULL, cwd=site.root) for mode in modes]
        for process in running:
            said = process.communicate(timeout=kit.PATIENCE)[0]
            assert b"service available:" in said and not re.search(rb"service available:\S*\s+\S*NO", said), said[-800:]


def test_h1_18_clients_that_stop_reading_are_sent_away():
    with Site("--write-timeout", "1s") as site:
        stalled = [begun(site.port) for _ in range(10)]
        for connection, length in stalled:
            got, how = b"", "whole"
            kit.eventually("the stalled connections end",
                           lambda: f":{connection.socket.getsockname()[1]:04X} " not in established(site.port))
            got, how = received(connection, length)
            assert how != "whole" and site.data.startswith(got), (len(got), how)
            connection.close()


def test_h1_18_a_client_that_takes_a_little_is_no_stall():
    with Site("--write-timeout", "1s", size=20 * MIB) as site:
        silent, length = begun(site.port)
        slow, length = begun(site.port)
        with silent, slow:
            over, got = time.monotonic() + 4, b""
            while time.monotonic() < over:  # about 20 KB/s, of which the system tells the sender nothing
                got += slow._exactly(1024)
                time.sleep(0.05)
            rest, how = received(slow, length - len(got))
            assert how == "whole" and got + rest == site.data, (how, len(got), len(rest))
            got, how = received(silent, length)
            assert how != "whole" and site.data.startswith(got), (len(got), how)


def established(port):
    """The kernel's table of connections from the server's side."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        return "".join(f"{row.split()[2]} " for row in table if row.split()[1].endswith(f":{port:04X}")
                       and row.split()[3] == "01")


def test_h1_18_el_11_stalled_readers_cost_little_memory():
    with Site(size=100 * MIB, watch=False) as site:
        for _ in range(20):
            assert kit.fetch(site.port, "/small").status == 200
        before = kit.rss(site.server.pid)
        with kit.Probe(site.port, "/small"):
            stalled = [begun(site.port)[0] for _ in range(50)]
            time.sleep(1)
            grown = kit.rss(site.server.pid) - before
        print(f"  50 stalled readers: {grown / 1024:.0f} KiB")
        assert kit.sanitized() or grown <= 50 * 64 * 1024, grown
        for connection in stalled:
            connection.reset()


def test_h1_20_el_11_pipelined_requests_that_nobody_reads_the_answers_of():
    with kit.echo() as server, kit.Probe(server.port):
        before = kit.rss(server.pid)
        with kit.Connection(server.port, TIGHT) as connection:
            connection.socket.setblocking(False)
            sent, pending = 0, b""
            for _ in range(200):
                try:
                    while sent < 500_000:
                        if not pending:
                            pending = f"GET /{sent} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
                            sent += 1
                        pending = pending[connection.socket.send(pending):]
                except BlockingIOError:
                    time.sleep(0.01)
            grown = kit.rss(server.pid) - before
            print(f"  {sent} requests were taken, {grown / 1024:.0f} KiB")
            assert sent < 500_000, "requests are read without end"
            assert kit.sanitized() or grown < 4 * MIB, grown
            connection.socket.settimeout(kit.PATIENCE)
            for i in range(sent - 1):
                assert f'"target":"/{i}"'.encode() in connection.response().body, i


def test_a_slow_download_is_not_idle():
    with Site("--idle-timeout", "2s", size=16 * MIB) as site:
        connection, length = begun(site.port)
        with connection:
            time.sleep(3)
            assert received(connection, length)[1] == "whole"
            assert connection.request(target="/small").body == SMALL


def test_el_12_one_busy_connection_does_not_starve_others():
    with kit.echo() as server, kit.Probe(server.port, bound=2.0):
        requests = b"GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n" * 500
        over = time.monotonic() + 2
        with kit.Connection(server.port) as connection:
            def drain():
                try:
                    while connection.socket.recv(MIB):
                        pass
                except OSError:
                    pass
            thread = threading.Thread(target=drain, daemon=True)
            thread.start()
            while time.monotonic() < over:
                connection.send(requests)
            connection.socket.shutdown(socket.SHUT_RDWR)
            thread.join(kit.PATIENCE)


kit.main(globals())
