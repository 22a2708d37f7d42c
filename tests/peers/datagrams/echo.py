#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sockets of Python's and socat against examples/udp_echo."""
import os
import shutil
import socket
import subprocess

from server import Echo, kit


def client(family=socket.AF_INET, kind=socket.SOCK_DGRAM):
    one = socket.socket(family, kind)
    one.settimeout(kit.PATIENCE)
    return one


def test_every_length_comes_back():
    server = Echo()
    with client() as one:
        one.connect(("127.0.0.1", server.port))
        for length in (0, 1, 500, 1472, 1473, 8192, 65507):
            data = os.urandom(length)
            one.send(data)
            assert one.recv(65536) == data, length
    server.stop()


def test_an_ipv4_and_an_ipv6_client_of_every_address():
    server = Echo("udp://:0")
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.1.2.3"), (socket.AF_INET6, "::1")):
        with client(family) as one:
            one.connect((host, server.port))  # nothing comes from another address
            one.send(b"hello")
            assert one.recv(100) == b"hello"
    server.stop()


def test_a_burst_of_one_size_comes_back_whole():
    server = Echo()
    with client() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        one.connect(("127.0.0.1", server.port))
        for burst in range(20):
            sent = [bytes([burst, i]) + b"x" * 198 for i in range(50)]
            for data in sent:
                one.send(data)
            assert [one.recv(300) for _ in sent] == sent
    server.stop()


def test_a_unix_socket():
    with kit.folder() as place:
        server = Echo(f"unixgram://{place}/s")
        assert server.url == f"unixgram://{place}/s"
        with client(socket.AF_UNIX) as one:
            one.bind(f"{place}/c")
            one.connect(f"{place}/s")
            one.send(b"hello")
            assert one.recv(100) == b"hello"
        server.stop()
        assert not os.path.exists(f"{place}/s")


def test_socat():
    if not shutil.which("socat"):
        print("skipped: socat is not installed")
        return
    server = Echo()
    done = subprocess.run(["socat", "-t", "5", "-", f"UDP4:127.0.0.1:{server.port},shut-none"], input=b"through socat\n",
                          capture_output=True, timeout=kit.PATIENCE)
    assert done.stdout == b"through socat\n", done
    server.stop()


def test_a_bad_place_is_an_error():
    for url, status in (("udp://nowhere", 2), ("tcp://127.0.0.1:0", 2), ("udp://198.51.100.7:9", 1)):
        done = subprocess.run([kit.example("udp_echo"), url], capture_output=True, text=True, timeout=kit.PATIENCE)
        assert done.returncode == status, (url, done)
        assert "cannot receive" in done.stderr


kit.main(globals())
