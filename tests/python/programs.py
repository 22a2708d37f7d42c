#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An application of Tornado and a web server of Twisted run on Weft, and ab drives them."""
import os
import re
import signal
import subprocess
import sys
import urllib.request

import suitekit

sys.path.insert(0, os.path.join(suitekit.HERE, "..", "peers", "http"))
import kit  # noqa: E402  (its place is known only now)


class Program:
    def __init__(self, name):
        self.process = subprocess.Popen([suitekit.PYTHON, os.path.join(suitekit.HERE, "programs", name + ".py")],
                                        env=suitekit.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        line = self.process.stdout.readline()
        self.base = f"http://127.0.0.1:{line.strip()}"
        assert line.strip().isdigit(), self.process.communicate(timeout=kit.PATIENCE)

    def get(self, path):
        with urllib.request.urlopen(self.base + path, timeout=kit.PATIENCE) as answer:
            return answer.read()

    def drive(self, path, requests, size, *options):
        """ab's account of its requests: all answered, with `size` bytes each."""
        done = subprocess.run(["ab", "-q", "-n", str(requests), "-c", "20", *options, self.base + path],
                              capture_output=True, text=True, timeout=4 * kit.PATIENCE, check=False)
        found = dict(re.findall(r"^(Complete requests|Failed requests|HTML transferred):\s+(\d+)", done.stdout, re.M))
        assert done.returncode == 0, done
        assert found == {"Complete requests": str(requests), "Failed requests": "0",
                         "HTML transferred": str(requests * size)}, done.stdout
        assert "Non-2xx" not in done.stdout, done.stdout
        print("  " + re.search(r"Requests per second.*", done.stdout)[0])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        output, errors = self.process.communicate(timeout=kit.PATIENCE)
        assert self.process.returncode in (0, -signal.SIGTERM), (self.process.returncode, output, errors)
        assert not errors, errors


def serve(name, greeting):
    program = Program(name)
    try:
        assert program.get("/") == greeting
        assert program.get("/size/300001") == b"x" * 300001
        program.drive("/", 1000, len(greeting), "-k")
        program.drive("/", 1000, len(greeting))
        program.drive("/size/300001", 100, 300001)
        program.stop()
    finally:
        program.process.kill()
        program.process.wait()


def test_an_application_of_tornado():
    serve("tornado_app", b"hello, tornado\n")


def test_a_web_server_of_twisted():
    serve("twisted_web", b"hello, twisted\n")


suitekit.need("tornado", "twisted.web")
kit.main(globals())
