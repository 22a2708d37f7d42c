#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How many system calls batches cost, and that neighbours of one size leave as one: counted by strace."""
import re
import socket
import tempfile

from server import Echo, kit

BURST = 20


def traced(work):
    """What strace wrote of the calls on sockets of an echo while `work` had its port."""
    with tempfile.NamedTemporaryFile("r") as log:
        server = Echo(wrap=("strace", "-f", "-qq", "-e", "trace=recvmmsg,sendmmsg,sendmsg,sendto", "-o", log.name))
        with open(f"/proc/{server.process.pid}/task/{server.process.pid}/children", encoding="ascii") as children:
            pid = int(children.read().split()[0])
        work(server, pid)
        server.stop(pid)
        return log.read()


def burst(server, pid):
    """Sends a burst while the server stands still, so that it finds all of it at once."""
    del pid
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(kit.PATIENCE)
        one.connect(("127.0.0.1", server.port))
        one.setsockopt(socket.IPPROTO_UDP, 103, 100)  # UDP_SEGMENT: one call, twenty datagrams
        one.send(b"".join(b"%02d" % i + b"x" * 98 for i in range(BURST)))
        got = [one.recv(200) for _ in range(BURST)]
    assert got == [b"%02d" % i + b"x" * 98 for i in range(BURST)]


def test_a_burst_of_one_size_is_one_call_each_way():
    log = traced(burst)
    received = [line for line in log.splitlines() if "recvmmsg(" in line and "EAGAIN" not in line]
    sent = [line for line in log.splitlines() if "sendmmsg(" in line]
    assert len(sent) == 1, log
    assert len(received) <= 2, log
    assert "msg_iovlen=20" in sent[0] or len(re.findall("iov_len=100", sent[0])) == BURST or "UDP_SEGMENT" in sent[0] \
        or "cmsg_type=0x67" in sent[0], log
    assert "sendto(" not in log and "sendmsg(" not in log, log


kit.need("strace")
if kit.sanitized():
    kit.skip("a sanitizer's programs cannot be traced")
kit.main(globals())
