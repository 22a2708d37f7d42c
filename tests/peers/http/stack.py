#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""EL-24: nothing recurses on what a peer sends, and no array grows with it. The servers run on a stack of 128 KiB, and
get what is long and deep. Attack rows by ID in the names of the tests."""
import re

import kit

SMALL_STACK = ["sh", "-c", 'ulimit -s 128 && exec "$@"', "sh"]
PIPELINED = 5000


def stack_of(server):
    with open(f"/proc/{server.pid}/limits", encoding="ascii") as limits:
        return int(re.search(r"Max stack size +(\d+)", limits.read())[1])


def answer_to(server, request):
    """The status of the answer to what may be refused before it was sent whole; 0 if there is none."""
    with kit.Connection(server.port) as connection:
        connection.send_until_refused(request)
        try:
            return connection.head().status
        except kit.Closed:
            return 0


def pipelined(server, target):
    request = f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with kit.Connection(server.port) as connection:
        for _ in range(10):
            connection.send(request * (PIPELINED // 10))
            for _ in range(PIPELINED // 10):
                assert connection.response().status == 200


def long_heads():
    line = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
    yield line + b"X: y\r\n" * 20000 + b"\r\n"
    yield line + b"X: " + b"y" * 1000000 + b"\r\n\r\n"
    yield line + b"Accept-Encoding: " + b"gzip;q=0.5, " * 2000 + b"br\r\n\r\n"
    yield line + b"If-None-Match: " + b'"x", ' * 3000 + b'"y"\r\n\r\n'
    yield line + b"Connection: " + b"a," * 7000 + b"b\r\n\r\n"
    yield line + b"Transfer-Encoding: " + b"gzip, " * 2000 + b"chunked\r\n\r\n"
    yield line + b"Range: bytes=" + b",".join(b"%d-%d" % (2 * i, 2 * i) for i in range(2000)) + b"\r\n\r\n"
    yield b"GET /" + b"a/" * 500000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    yield b"GET /" + b"a/" * 3500 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    yield b"GET /" + b"a/" * 1500 + b"../" * 1400 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    yield b"GET /" + b"%2e%2e/" * 1000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    yield b"GET /?" + b"[(" * 3500 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    yield b"\r\n" * 100000 + line + b"\r\n"


def chunked(lines):
    return b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + lines


def long_bodies():
    yield chunked(b"1\r\nx\r\n" * 20000 + b"0\r\n\r\n")
    yield chunked(b"1" + b";a=b" * 20000 + b"\r\nx\r\n0\r\n\r\n")
    yield chunked(b"1;a=\"" + b"\\\"" * 20000 + b"\"\r\nx\r\n0\r\n\r\n")
    yield chunked(b"0" * 100000 + b"1\r\nx\r\n0\r\n\r\n")
    yield chunked(b"1\r\nx\r\n0\r\n" + b"T: u\r\n" * 20000 + b"\r\n")


def test_el_24_folder_on_a_small_stack():
    with kit.folder() as root:
        kit.write(root, "small", b"small\n")
        kit.write(root, "/".join(["deep"] * 200) + "/file", b"deep\n")
        with kit.web(root, "--log", "common", "--workers", "2", wrap=SMALL_STACK) as server:
            assert stack_of(server) == 128 * 1024
            for request in [*long_heads(), *long_bodies()]:
                status = answer_to(server, request)
                assert status == 0 or 200 <= status < 600 and status != 500, (status, request[:60])
            assert kit.fetch(server.port, "/" + "deep/" * 200 + "file").body == b"deep\n"
            assert kit.fetch(server.port, "/" + "deep/" * 200).status == 200
            ranges = ",".join(f"{i}-{i}" for i in range(6))
            assert kit.fetch(server.port, "/small", fields=[("Range", f"bytes={ranges}")]).status in (200, 206)
            pipelined(server, "/small")
            assert kit.fetch(server.port, "/small").body == b"small\n"


def test_el_24_echo_on_a_small_stack():
    with kit.echo(wrap=SMALL_STACK) as server:
        assert stack_of(server) == 128 * 1024
        for request in [*long_heads(), *long_bodies()]:
            status = answer_to(server, request)
            assert status == 0 or 200 <= status < 600, (status, request[:60])
        pipelined(server, "/")
        assert kit.fetch(server.port, "/").status == 200


if kit.sanitized():
    kit.skip("a sanitizer makes frames larger")
kit.main(globals())
