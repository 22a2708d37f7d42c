#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Standard output that takes no more of the access log: a pipe that nobody reads, a full disk. Nobody else waits for
it, and a stop ends when its grace does. Attack rows by ID in the names of the tests."""
import fcntl
import os
import re

import kit
from faultkit import SMALL, Site, begun, received


class FullPipe:
    """A pipe without room for one byte more."""

    def __enter__(self):
        self.reads, self.writes = os.pipe()
        self.size = fcntl.fcntl(self.writes, fcntl.F_SETPIPE_SZ, 4096)
        os.write(self.writes, b"-" * (self.size - 1) + b"\n")
        return self

    def __exit__(self, *_):
        for end in [self.reads, self.writes]:
            if end >= 0:
                os.close(end)

    def read(self):
        """Everything, to the end."""
        os.close(self.writes)
        self.writes = -1
        with os.fdopen(self.reads, "rb", closefd=False) as file:
            return file.read()


def site(pipe, *options, **rest):
    return Site("--log", "common", *options, stdout=pipe.writes, **rest)


def lost(server):
    return sum(int(count) for count in re.findall(r"the access log lost (\d+) lines: standard output was too slow",
                                                  server.text()))


def test_el_20_log_that_nobody_reads_holds_nobody():
    for options in [("--grace", "1ms"), ("--grace", "300ms"), ("--grace", "300ms", "--workers", "2")]:
        with FullPipe() as pipe, site(pipe, *options, size=0, watch=False) as served:
            for _ in range(30):
                assert kit.fetch(served.port, "/small").body == SMALL
            assert os.get_blocking(pipe.writes), "the pipe is not the server's alone"
            served.server.signal()
            assert served.server.wait() == 0
            assert lost(served.server) == 30, served.server.text()
            assert set(pipe.read()) == set(b"-\n")


def test_el_20_requests_have_their_grace_while_the_log_stalls():
    with FullPipe() as pipe, site(pipe, watch=False) as served:
        connection, length = begun(served.port)
        served.server.signal()
        served.server.wait_for("stopping")
        assert received(connection, length)[1] == "whole"
        connection.close()
        head = os.read(pipe.reads, pipe.size)
        assert served.server.wait() == 0 and lost(served.server) == 0, served.server.text()
        assert head.strip(b"-\n") == b"" and pipe.read().count(b'"GET /big HTTP/1.1" 200') == 1


def test_log_is_written_when_its_reader_comes_back():
    with FullPipe() as pipe, site(pipe, "--grace", "unlimited", size=0, watch=False) as served:
        for _ in range(30):
            assert kit.fetch(served.port, "/small").body == SMALL
        served.server.signal()
        served.server.wait_for("stopping")
        assert pipe.read().count(b'"GET /small HTTP/1.1" 200 6') == 30
        assert served.server.wait() == 0 and lost(served.server) == 0, served.server.text()


def test_el_20_full_disk_is_told_when_it_is_met():
    with open("/dev/full", "wb") as full, Site("--log", "json", size=0, stdout=full, status=1) as served:
        assert kit.fetch(served.port, "/small").body == SMALL
        served.server.wait_for("the access log cannot be written: No space left on device")
        served.probe.over.set()
        for _ in range(30):
            assert kit.fetch(served.port, "/small").body == SMALL
        served.server.signal()
        assert served.server.wait() == 1
        assert served.server.text().count("cannot be written") == 1, served.server.text()
        assert re.search(r"lost \d+ lines: No space left on device", served.server.text()), served.server.text()


kit.main(globals())
