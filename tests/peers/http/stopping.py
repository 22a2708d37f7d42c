#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Signals: what runs may finish, and a second signal ends at once. A bystander is served all the while. Attack rows
by ID in the names of the tests."""
import os
import re
import signal
import socket

import kit
from faultkit import MIB, SMALL, Site, begun, crowd, received


def refused(port):
    try:
        with socket.create_connection(("127.0.0.1", port), kit.PATIENCE):
            return False
    except ConnectionRefusedError:
        return True


def test_el_29_sigterm_lets_downloads_finish():
    for number in [signal.SIGTERM, signal.SIGINT]:
        with Site(watch=False) as site, kit.Connection(site.port) as idle, kit.Connection(site.port) as fresh:
            assert idle.request(target="/small").status == 200
            connection, length = begun(site.port)
            site.server.signal(number)
            site.server.wait_for("stopping")
            kit.eventually("nothing new is accepted", lambda: refused(site.port))
            assert idle.ended()[0] == b""
            first = fresh.request(target="/small")  # it has not had an answer yet, and gets it
            assert first.body == SMALL and first.get("Connection") == "close"
            assert fresh.ended() == (b"", "eof")
            got, how = received(connection, length)
            assert how == "whole" and kit.sha256(got) == kit.sha256(site.data)
            assert connection.ended() == (b"", "eof")
            connection.close()
            assert site.server.wait() == 0
            assert re.search(r"stopped: \d+ connections drained, 0 cut off", site.server.text()), site.server.text()


def test_el_29_sigterm_in_the_middle_of_a_request():
    with Site(watch=False, size=0) as site, kit.Connection(site.port) as connection:
        connection.send(b"GET /small HTTP/1.1\r\nHost: local")
        kit.fetch(site.port, "/small")
        site.server.signal()
        site.server.wait_for("stopping")
        kit.eventually("nothing new is accepted", lambda: refused(site.port))
        connection.send(b"host\r\n\r\n")
        response = connection.response()
        assert response.body == SMALL and response.get("Connection") == "close"
        assert connection.ended() == (b"", "eof")


def test_what_does_not_finish_is_cut_off():
    with Site("--grace", "300ms", watch=False) as site:
        connection, length = begun(site.port)
        site.server.signal()
        assert site.server.wait() == 0
        assert "stopped: 0 connections drained, 1 cut off" in site.server.text(), site.server.text()
        got, how = received(connection, length)
        assert how != "whole" and site.data.startswith(got)
        connection.close()


def test_a_second_signal_ends_at_once():
    for number in [signal.SIGTERM, signal.SIGINT]:
        with Site(watch=False, status=128 + number) as site:
            connection = begun(site.port)[0]
            site.server.signal(number)
            site.server.wait_for("stopping")
            site.server.signal(number)
            assert site.server.wait() == 128 + number
            assert "stopped at once" in site.server.text()
            connection.close()


def test_workers_share_a_port():
    with Site("--workers", "2", size=MIB) as site:
        with open("/proc/net/tcp", encoding="ascii") as table:
            listening = [row for row in table if f":{site.port:04X} 00000000:0000 0A" in row]
        assert len(listening) == 2, listening
        connections = crowd(site.port, 64)
        for connection in connections:
            assert connection.request(target="/small").body == SMALL
        assert len(os.listdir(f"/proc/{site.server.pid}/task")) >= 2
        slow, length = begun(site.port)
        site.server.signal()
        site.server.wait_for("stopping")
        site.probe.over.set()
        assert received(slow, length)[1] == "whole"
        for connection in [slow, *connections]:
            connection.close()
        assert site.server.wait() == 0 and " 0 cut off" in site.server.text()
        site.probe.failure = None


kit.main(globals())
