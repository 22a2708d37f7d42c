# SPDX-License-Identifier: MIT
"""examples/udp_echo on a place of its own."""
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
import kit  # noqa: E402  (its place is known only now)


class Echo:
    def __init__(self, url="udp://127.0.0.1:0", wrap=()):
        self.process = subprocess.Popen([*wrap, kit.example("udp_echo"), url], stderr=subprocess.PIPE, text=True)
        found = kit.LISTENING.search(self.process.stderr.readline())
        assert found, "it does not say where it receives"
        self.url = found.group(1)

    @property
    def port(self):
        return int(self.url.rsplit(":", 1)[1])

    def stop(self, pid=None):
        os.kill(pid or self.process.pid, signal.SIGTERM)
        status = self.process.wait(timeout=kit.PATIENCE)
        rest = self.process.stderr.read()
        self.process.stderr.close()
        assert not kit.SANITIZER.search(rest), rest
        assert status == 0, f"status {status}: {rest}"
        return rest
