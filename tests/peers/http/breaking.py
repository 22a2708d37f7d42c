#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients that reset, half-close, or send bodies that look like requests. A bystander is served all the while.
Attack rows by ID in the names of the tests."""
import socket

import kit
from faultkit import MIB, SMALL, Site, TIGHT, ask, big


def test_clients_that_reset_in_the_middle():
    with Site(size=8 * MIB) as site:
        kit.fetch(site.port, "/small")
        base = kit.descriptors(site.server.pid)
        for i in range(60):
            connection = ask(site.port, ["/big", "/small", "/"][i % 3])
            if i % 2:
                connection.socket.recv(1 + i * 100)
            connection.reset()
            with kit.Connection(site.port) as connection:
                connection.send(b"GET /small HTTP/1.1\r\nHo"[:1 + i % 23])
                connection.reset()
        kit.eventually("all descriptors are closed", lambda: kit.descriptors(site.server.pid) <= base + 1)


def test_half_close_after_the_request():
    with Site() as site:
        for requests, bodies in [(["/big"], [site.data]), (["/small"], [SMALL]),
                                 (["/small", "/big"], [SMALL, site.data]),
                                 (["/big", "/small"], [site.data, SMALL])]:
            with kit.Connection(site.port, TIGHT) as connection:
                for target in requests:
                    connection.send(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                connection.half_close()
                for body in bodies:
                    assert kit.sha256(connection.response().body) == kit.sha256(body), requests
                assert connection.ended() == (b"", "eof")


def test_half_close_in_the_middle_of_a_request():
    with Site(size=8 * MIB) as site, kit.echo() as echo:
        for request in [b"GET /sm", b"GET /small HTTP/1.1\r\nHost: localhost\r\n"]:
            with kit.Connection(site.port) as connection:
                connection.send(request)
                connection.half_close()
                assert b" 200 " not in connection.ended()[0]
        with kit.Connection(echo.port) as connection:
            connection.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello")
            connection.half_close()
            assert b" 200 " not in connection.ended()[0]
        for rest in [b"GET /small HT", b"POST /small HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello"]:
            with kit.Connection(site.port, TIGHT) as connection:
                connection.send(b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n" + rest)
                connection.half_close()
                assert kit.sha256(connection.response().body) == kit.sha256(site.data), rest
                assert connection.ended()[1] == "eof"


def test_h1_19_bodies_are_never_taken_for_requests():
    inner = b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = b"GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with Site(size=MIB) as site:
        for fields in [b"", b"Expect: 100-continue\r\n"]:
            with kit.Connection(site.port) as connection:
                length = b"Content-Length: %d\r\n\r\n" % len(inner)
                connection.send(b"POST /small HTTP/1.1\r\nHost: localhost\r\n" + fields + length)
                response = connection.response(interim=True)
                assert response.status == 405
                if response.get("Connection") == "close":
                    connection.send_until_refused(inner + last)
                    assert connection.ended()[0] == b""
                else:
                    connection.send(inner + last)
                    assert connection.response().body == SMALL
        with kit.Connection(site.port) as connection:
            connection.send(b"POST /small HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                            b"Content-Length: 9000000\r\n\r\n")
            assert connection.response(interim=True).status == 413
            connection.send_until_refused(inner)
            assert connection.ended()[0] == b""
        with kit.Connection(site.port) as connection:
            connection.send(b"POST /small HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n")
            assert connection.response().status == 405
            connection.send_until_refused(inner * 3000)
            assert connection.ended()[0] == b""


kit.main(globals())
