#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What runs out: descriptors, connections. The server goes on, and recovers. A bystander is served all the while.
Attack rows by ID in the names of the tests."""
import os
import shutil
import time

import kit
from faultkit import MIB, SMALL, Site, answered, ask, crowd


def test_el_04_descriptors_run_out():
    kit.need("prlimit")
    with kit.echo(wrap=["prlimit", "--nofile=24:24"]) as server, kit.Connection(server.port) as early:
        assert early.request().status == 200
        with kit.Probe(server.port):
            pass
        others = crowd(server.port, 60)
        assert early.request().status == 200
        before = kit.cpu(server.pid)
        for _ in range(10):
            time.sleep(0.15)
            assert early.request().status == 200
        used = kit.cpu(server.pid) - before
        assert used < 0.5, f"{used} s of processor in 1.5 s while nothing could be accepted"
        for connection in others:
            connection.close()
        kit.eventually("new connections are served again", lambda: answered(server.port))  # some may be turned away
        for _ in range(5):
            assert kit.fetch(server.port).status == 200
        assert early.request().status == 200


def test_el_04_descriptors_run_out_while_files_are_served():
    kit.need("prlimit")
    with Site(size=MIB, watch=False, wrap=["prlimit", "--nofile=28:28"]) as site, kit.Connection(site.port) as early:
        assert early.request(target="/small").body == SMALL
        others = crowd(site.port, 60)
        statuses = {early.request(target="/small").status for _ in range(20)}
        assert statuses <= {200, 503}, statuses
        for connection in others:
            connection.close()
        kit.eventually("files are served again", lambda: early.request(target="/big").status == 200)
        kit.eventually("new connections are served again", lambda: answered(site.port))
        assert kit.fetch(site.port, "/small").body == SMALL


def test_el_04_accept_fails():
    if not shutil.which("strace") or kit.sanitized():
        print("  needs strace, and no sanitizer")
        return
    for error in ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "ECONNABORTED", "EINTR", "EPROTO", "EPERM"]:
        with kit.folder() as home:
            trace = os.path.join(home, "trace")
            wrap = ["strace", "-D", "-f", "-o", trace, "-e", "trace=accept4", "-e",
                    f"inject=accept4:error={error}:when=1..3"]
            with kit.echo(wrap=wrap) as server:
                kit.eventually("a connection is served", lambda: answered(server.port))  # some may be turned away
                for _ in range(3):
                    assert kit.fetch(server.port).status == 200, error
            with open(trace, encoding="utf-8", errors="replace") as file:
                assert file.read().count("(INJECTED)") == 3, error


def test_connections_beyond_the_limit_wait():
    with Site("--max-connections", "4", size=0, watch=False) as site:
        four = crowd(site.port, 4)
        for connection in four:
            assert connection.request(target="/small").status == 200
        fifth = ask(site.port, "/small")
        assert four[0].request(target="/small").status == 200
        assert fifth.silent()
        four[1].close()
        assert fifth.response().body == SMALL
        for connection in [*four, fifth]:
            connection.close()


def test_connections_of_one_address_are_limited():
    with Site("--max-per-address", "3", size=0, watch=False) as site:
        three = crowd(site.port, 3)
        for connection in three:
            assert connection.request(target="/small").status == 200
        assert not answered(site.port)
        three[0].close()
        kit.eventually("there is room again", lambda: answered(site.port))
        for connection in three:
            connection.close()


kit.main(globals())
