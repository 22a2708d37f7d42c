#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: with_server.py redis|http TEST EXAMPLE

Starts a server, has TEST (a program of tests) and EXAMPLE talk to it, and stops it."""
import http.server
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

BUILD = os.environ["WEFT_BUILD_DIR"]
LIMIT = 60  # seconds, after which something hangs


class Sized(http.server.BaseHTTPRequestHandler):
    """/N is N bytes."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        left = int(self.path.strip("/"))
        self.send_response(200)
        self.send_header("Content-Length", str(left))
        self.end_headers()
        try:
            while left > 0:
                left -= self.wfile.write(b"x" * min(left, 65536))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, *_):
        pass


def run(*command):
    result = subprocess.run(command, timeout=LIMIT, capture_output=True, text=True)
    sys.stdout.write(result.stdout + result.stderr)
    if result.returncode != 0:
        sys.exit(f"{command} ended with {result.returncode}")
    return result.stdout


def redis(test, example):
    if not shutil.which("redis-server"):
        sys.exit(77)
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, "redis")
        with subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--dir", place],
                              stdout=subprocess.DEVNULL) as server:
            try:
                until = time.monotonic() + LIMIT
                while not os.path.exists(path):
                    if server.poll() is not None or time.monotonic() > until:
                        sys.exit("redis-server did not start")
                    time.sleep(0.02)
                run(test, path)
                if run(example, path) != "visits: 1\nvisits: 2\nvisits: 3\n":
                    sys.exit("the example said something else")
            finally:
                server.terminate()


def web(test, example):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sized)
    url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    run(test, url)
    said = run(example, f"{url}/10", f"{url}/100000")
    if said != f"{url}/10: 10 bytes\n{url}/100000: 100000 bytes\n":
        sys.exit("the example said something else")
    server.shutdown()


kind, test_name, example_name = sys.argv[1:]
{"redis": redis, "http": web}[kind](os.path.join(BUILD, "tests", test_name),
                                    os.path.join(BUILD, "examples", example_name))
