#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The examples that are tasks, as their users run them, against plain sockets."""
import os
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
import kit  # noqa: E402  (its place is known only now)

LINES = {"echo": 25, "compare": 35, "chat": 120}


class Example:
    """A server of examples/ on a free port."""

    def __init__(self, name):
        self.process = subprocess.Popen([kit.example(name), "tcp://127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
        found = kit.LISTENING.search(self.process.stderr.readline())
        assert found, "it does not say where it listens"
        self.port = int(found.group(1).rsplit(":", 1)[1])

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=kit.PATIENCE)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=kit.PATIENCE)
        rest = self.process.stderr.read()
        self.process.stderr.close()
        assert not kit.SANITIZER.search(rest), rest
        assert status == 0, f"status {status}: {rest}"


def read_until(connection, end):
    got = b""
    while not got.endswith(end):
        more = connection.recv(4096)
        assert more, f"ended after {got!r}, before {end!r}"
        got += more
    return got


def test_echo_gives_back_what_it_gets():
    server = Example("echo")
    blob = os.urandom(3 << 20)
    with server.connect() as connection:
        connection.setblocking(True)
        pid = os.fork()
        if pid == 0:
            connection.sendall(blob)
            connection.shutdown(socket.SHUT_WR)
            os._exit(0)
        got = b""
        while more := connection.recv(1 << 16):
            got += more
        os.waitpid(pid, 0)
    assert got == blob
    server.stop()


def test_an_idle_conversation_does_not_hold_up_the_end():
    server = Example("echo")
    with server.connect() as connection:
        connection.sendall(b"x")
        assert connection.recv(1) == b"x"
        server.stop()
        assert connection.recv(1) == b""


def test_guests_of_the_chat_read_each_other():
    server = Example("chat")
    with server.connect() as anna, server.connect() as bob:
        read_until(anna, b"Who are you? ")
        anna.sendall(b"anna\r\n")
        anna.sendall(b"is anybody here?\n")
        read_until(bob, b"Who are you? ")
        bob.sendall(b"bob\n")
        assert read_until(anna, b"\n") == b"* bob has come\n"
        bob.sendall(b"hello\n\n")
        assert read_until(anna, b"\n") == b"bob: hello\n"
        anna.sendall(b"hello yourself\n")
        assert read_until(bob, b"\n") == b"anna: hello yourself\n"
        bob.sendall(b"half a line")
        bob.close()
        assert read_until(anna, b"\n") == b"* bob has gone\n"
        server.stop()
        assert anna.recv(1) == b""


def test_a_guest_that_does_not_read_does_not_hold_up_the_others():
    server = Example("chat")
    with server.connect() as deaf, server.connect() as anna, server.connect() as bob:
        for connection, name in ((deaf, b"deaf\n"), (anna, b"anna\n"), (bob, b"bob\n")):
            read_until(connection, b"Who are you? ")
            connection.sendall(name)
        read_until(anna, b"bob has come\n")
        line = b"x" * 500 + b"\n"
        for _ in range(16000):  # more than the system's buffers hold for the one that is deaf
            anna.sendall(line)
            assert read_until(bob, b"\n") == b"anna: " + line
    server.stop()


def test_a_guest_that_is_cut_off_leaves_nothing_behind():
    server = Example("chat")
    with server.connect() as deaf, server.connect() as anna, server.connect() as bob:
        for connection, name in ((deaf, b"deaf\n"), (anna, b"anna\n"), (bob, b"bob\n")):
            read_until(connection, b"Who are you? ")
            connection.sendall(name)
        read_until(anna, b"bob has come\n")
        line = b"x" * 500 + b"\n"
        for _ in range(16000):
            anna.sendall(line)
            assert read_until(bob, b"\n") == b"anna: " + line
        server.process.send_signal(signal.SIGTERM)
        while bob.recv(4096):
            pass
        server.stop()  # at once, and what waits for the one that is deaf is dropped: a sanitizer would tell if it leaked


def test_the_port_scanner_finds_what_is_open():
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        ports = sorted(listener.getsockname()[1] for listener in (one, other))
        done = subprocess.run([kit.example("portscan"), "127.0.0.1", str(ports[0] - 600), str(ports[1] + 10), "60"],
                              capture_output=True, text=True, timeout=kit.PATIENCE, check=False)
    found = [int(port) for port in done.stdout.split()]
    assert done.returncode == 0, done.stderr
    assert all(port in found for port in ports), found


def test_the_port_scanner_keeps_its_deadline():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = subprocess.run([kit.example("portscan"), "127.0.0.1", "1", "65535", "0"], capture_output=True,
                              text=True, timeout=kit.PATIENCE, check=False)
    assert done.returncode == 1 and "the time was not enough" in done.stderr, done
    assert listener


def tree(top):
    return {os.path.relpath(os.path.join(folder, name), top): open(os.path.join(folder, name), "rb").read()
            for folder, _, names in os.walk(top) for name in names}


def site(root):
    """A folder served by Python's own server."""
    server = subprocess.Popen([sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "-d", root],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return server, int(server.stdout.readline().split("port ")[1].split()[0])


def test_a_site_is_mirrored_and_nothing_else():
    with kit.folder() as root, kit.folder() as copy:
        pages = {"index.html": b'<a href="a.html">a</a> <img src="/i/p.png"> <a href="http://127.0.0.1:1/x">out</a>',
                 "a.html": b'<a href="/">home</a><a href="sub/">sub</a><a href="../../etc/passwd">no</a>',
                 "sub/index.html": b'<a href="b.html?x=1#y">b</a>', "sub/b.html": b"end", "i/p.png": b"\x89PNG"}
        for name, body in pages.items():
            kit.write(root, name, body)
        kit.write(root, "unlinked.html", b"no")
        server, port = site(root)
        try:
            done = subprocess.run([kit.example("mirror"), f"http://127.0.0.1:{port}/", copy], capture_output=True,
                                  text=True, timeout=kit.PATIENCE, check=False)
        finally:
            server.kill()
            server.wait()
            server.stdout.close()
        assert done.returncode == 0 and "5 pages, 0 failed" in done.stderr, done
        assert tree(copy) == pages


def test_a_mirror_in_a_folder_that_is_not_there_fails_and_writes_nothing_elsewhere():
    with kit.folder() as root, kit.folder() as home:
        kit.write(root, "index.html", b"page")
        server, port = site(root)
        try:
            for folder, problem in (("/copy", "No such file or directory"), (("/" + "x" * 200) * 21, "name too long")):
                done = subprocess.run([kit.example("mirror"), f"http://127.0.0.1:{port}/", home + folder],
                                      capture_output=True, text=True, timeout=kit.PATIENCE, check=False)
                assert done.returncode == 1 and problem in done.stderr, done
        finally:
            server.kill()
            server.wait()
            server.stdout.close()
        assert not os.listdir(home)


def test_two_pages_are_compared_and_given_up_together():
    with kit.folder() as root:
        kit.write(root, "one", b"1" * 100)
        kit.write(root, "two", b"2" * 2000)
        server, port = site(root)
        try:
            urls = [f"http://127.0.0.1:{port}/{name}" for name in ("one", "two")]
            done = subprocess.run([kit.example("compare"), *urls], capture_output=True, text=True,
                                  timeout=kit.PATIENCE, check=False)
            assert (done.returncode, done.stdout) == (0, "100 and 2000 bytes\n"), done
            with socket.create_server(("127.0.0.1", 0)) as silent:
                urls[1] = f"http://127.0.0.1:{silent.getsockname()[1]}/"
                done = subprocess.run([kit.example("compare"), *urls], capture_output=True, text=True,
                                      timeout=kit.PATIENCE, check=False)
            assert done.returncode == 0 and not done.stdout and "timed out" in done.stderr, done
        finally:
            server.kill()
            server.wait()
            server.stdout.close()


def output_of(name):
    done = subprocess.run([kit.example(name)], capture_output=True, text=True, timeout=kit.PATIENCE, check=False)
    assert done.returncode == 0 and not done.stderr, done
    return done.stdout


def test_the_programs_of_the_explanation_do_what_it_says():
    assert output_of("docs_callbacks") == "21 doubled is 42\n"
    assert output_of("docs_waiting") == "21 doubled is 42\n"
    assert output_of("docs_giving_up") == "1: slept well\n3600: timed out\n60: timed out\nall: timed out\n"


def test_what_comes_on_standard_input_is_counted():
    process = subprocess.Popen([kit.example("watch")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for text in ("one\ntw", "o\n", "three"):
        process.stdin.write(text)
        process.stdin.flush()
    assert process.communicate(timeout=kit.PATIENCE)[0] == "2 lines, 13 bytes\n"
    assert process.returncode == 0
    with open(__file__, encoding="utf-8") as file:
        done = subprocess.run([kit.example("watch")], stdin=file, capture_output=True, text=True, timeout=kit.PATIENCE,
                              check=False)
    assert (done.returncode, done.stderr) == (1, "watch: standard input: Operation not permitted\n"), done


def test_the_examples_are_as_short_as_they_were_meant_to_be():
    for name, limit in LINES.items():
        path = os.path.join(kit.SOURCE, "examples", name + ".c")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                assert sum(1 for _ in file) <= limit, f"{name}.c has more than {limit} lines"


kit.main(globals())
