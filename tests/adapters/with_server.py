#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: with_server.py redis|http|dns|postgres TEST EXAMPLE

Starts a server, has TEST (a program of tests) and EXAMPLE talk to it, and stops it."""
import glob
import http.server
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import dns_server

BUILD = os.environ["WEFT_BUILD_DIR"]
LIMIT = 120  # seconds, after which something hangs


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


def dns(test, example):
    server = dns_server.Server()
    where = "{}:{}".format(*server.address)
    run(test, where)
    said = run(example, where, "n3.test", "nobody.test")
    if sorted(said.splitlines()) != ["n3.test: 192.0.2.3", "n3.test: 2001:db8::3",
                                     "nobody.test: the host's name is not known"]:
        sys.exit("the example said something else")


# Where only root can write to /dev/null, as in some containers, nobody has one of its own.
OWN_NULL = """rm -f "$0" && mknod -m 666 "$0" c 1 3 && mount --bind "$0" /dev/null && exec setpriv --reuid nobody --regid nogroup \\
              --clear-groups "$@\""""


def as_nobody(place):
    """How a program is run by somebody else than root: what comes before its words, and what Popen is to do."""
    if os.geteuid() != 0:
        return [], {}
    shutil.chown(place, "nobody", "nogroup")
    if os.stat("/dev/null").st_mode & 0o6 == 0o6:
        return [], {"user": "nobody", "group": "nogroup", "extra_groups": []}
    return ["unshare", "--mount", "sh", "-c", OWN_NULL, os.path.join(place, "null")], {}


def postgres(test, example):
    """The server refuses to be root."""
    programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not programs:
        sys.exit(77)
    with tempfile.TemporaryDirectory() as place:
        before, someone = as_nobody(place)
        someone["cwd"] = place
        data = os.path.join(place, "data")
        subprocess.run([*before, os.path.join(programs[-1], "initdb"), "-D", data, "-U", "weft", "--auth=trust",
                        "--no-sync", "--no-locale", "--encoding=UTF8"],
                       check=True, stdout=subprocess.DEVNULL, timeout=LIMIT, **someone)
        settings = {"listen_addresses": "", "unix_socket_directories": place, "fsync": "off", "autovacuum": "off",
                    "shared_buffers": "16MB", "logging_collector": "off"}
        with open(os.path.join(place, "log"), "wb") as log, \
             subprocess.Popen([*before, os.path.join(programs[-1], "postgres"), "-D", data,
                               *(f"-c{name}={value}" for name, value in settings.items())],
                              stdout=log, stderr=log, **someone) as server:
            try:
                until = time.monotonic() + LIMIT
                while subprocess.run([os.path.join(programs[-1], "pg_isready"), "-q", "-h", place],
                                     check=False).returncode != 0:
                    if server.poll() is not None or time.monotonic() > until:
                        sys.exit("postgres did not start")
                    time.sleep(0.05)
                where = f"host={place} user=weft dbname=postgres"
                if run(example, where, "select 6 * 7, 'x'", "select pg_sleep(3600)", "select 'on'") != \
                        "42\tx\nERROR:  canceling statement due to user request\non\n":
                    sys.exit("the example said something else")
                run(test, where)
            finally:
                server.send_signal(signal.SIGINT)  # as its pg_ctl does it: at once, but in order


kind, test_name, example_name = sys.argv[1:]
{"redis": redis, "http": web, "dns": dns, "postgres": postgres}[kind](os.path.join(BUILD, "tests", test_name),
                                                                     os.path.join(BUILD, "examples", example_name))
