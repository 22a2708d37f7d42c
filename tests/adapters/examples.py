#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: examples.py NAME...

Each of the hosted examples echoes, while the timer of its host ticks, and ends by its host's signal."""
import os
import re
import signal
import socket
import subprocess
import sys

LIMIT = 30  # seconds, after which something hangs
BYTES = bytes(range(256)) * 4096


def echo(port):
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as peer:
        for _ in range(100):
            peer.sendall(b"to and fro")
            assert peer.recv(10, socket.MSG_WAITALL) == b"to and fro"
        sender = os.fork()
        if sender == 0:
            peer.sendall(BYTES)
            peer.shutdown(socket.SHUT_WR)
            os._exit(0)
        came = b""
        while chunk := peer.recv(65536):
            came += chunk
        assert os.waitpid(sender, 0)[1] == 0
        assert came == BYTES, f"{len(came)} of {len(BYTES)} bytes came back"


def check(name):
    path = os.path.join(os.environ["WEFT_BUILD_DIR"], "examples", name)
    with subprocess.Popen([path, "tcp://127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        try:
            port = re.search(rb"listening on tcp://127.0.0.1:(\d+)", program.stderr.readline())[1]
            echo(int(port))
            assert program.stdout.readline() == b"1 s\n"
            echo(int(port))
            program.send_signal(signal.SIGTERM)
            _, said = program.communicate(timeout=LIMIT)
            assert program.returncode == 0, f"{name} ended with {program.returncode}"
            assert said == b"", f"{name} said {said}"
        finally:
            program.kill()
    print(f"{name}: echoed, ticked and ended")


for each in sys.argv[1:]:
    check(each)
