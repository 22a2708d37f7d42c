#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`weft get` between a shell and a terminal: silent inputs, readers that leave or don't read, full and closed outputs,
interrupts, the progress bar, and what of a server's or a user's text must not be shown."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading

import kit
from client_command import OK, weft
from client_origin import END, HANG, NEXT, READ, Origin

LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n"
CONTROLS = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Run:
    """`weft get` with the descriptors that are given; ended with `with`."""

    def __init__(self, *arguments, **descriptors):
        self.process = subprocess.Popen([kit.WEFT, "get", *arguments], stderr=subprocess.PIPE, **descriptors)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        for end in (self.process.stdin, self.process.stdout, self.process.stderr):
            if end:
                end.close()
        self.process.wait()

    def ends(self, status):
        self.process.wait(kit.PATIENCE)
        errors = self.process.stderr.read().decode()
        assert not kit.SANITIZER.search(errors), errors
        assert self.process.returncode == status, (self.process.returncode, errors)
        return errors


def asked(origin):
    kit.eventually("a request", lambda: origin.seen)


def is_asleep(process):
    """Whether every thread of the process waits for something."""
    for task in os.listdir(f"/proc/{process.pid}/task"):
        try:
            with open(f"/proc/{process.pid}/task/{task}/stat", encoding="ascii") as file:
                if file.read().rsplit(")", 1)[1].split()[0] != "S":
                    return False
        except OSError:
            return False
    return True


# -- inputs that say nothing --


def uploads(origin):
    """A head without the rest of its body has come."""
    kit.eventually("the head of an upload", lambda: origin.connections)


def test_a_silent_input_can_be_interrupted():
    for number in (signal.SIGINT, signal.SIGTERM):
        with Origin([HANG]) as origin, Run("-T", "-", origin.url, stdin=subprocess.PIPE) as run:
            uploads(origin)
            kit.eventually("waiting", lambda: is_asleep(run.process))
            run.process.send_signal(number)
            assert run.ends(130).endswith("interrupted\n")


def test_a_silent_input_is_held_to_the_time():
    with Origin([HANG]) as origin, Run("-m", "300ms", "-T", "-", origin.url, stdin=subprocess.PIPE) as run:
        run.ends(28)
    with kit.folder() as root:  # a FIFO that nobody writes to
        os.mkfifo(f"{root}/fifo")
        with Origin([HANG]) as origin, Run("-m", "300ms", "-T", f"{root}/fifo", origin.url) as run:
            run.ends(28)


def test_an_answer_is_told_while_the_input_is_silent():
    with Origin([b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"]) as origin:
        with Run("-T", "-", origin.url, stdin=subprocess.PIPE) as run:
            assert "403 No" in run.ends(22)


def test_reading_data_can_be_interrupted():
    for arguments in (["-d", "@-"], ["-F", "f=@-"]):
        with Run(*arguments, "http://127.0.0.1:1/", stdin=subprocess.PIPE) as run:
            kit.eventually("waiting", lambda: is_asleep(run.process))
            run.process.send_signal(signal.SIGINT)
            run.ends(-signal.SIGINT)


def test_an_input_may_come_slowly():
    with Origin([HANG]) as origin, Run("-T", "-", origin.url, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        kit.eventually("a connection", lambda: origin.sockets)
        peer, seen = origin.sockets[0], b""
        # each piece goes out before the next is written
        for piece in (b"one", b"two", b"three"):
            run.process.stdin.write(piece)
            run.process.stdin.flush()
            while piece not in seen:
                seen += peer.recv(65536)
        run.process.stdin.close()
        run.process.stdin = None
        while b"0\r\n\r\n" not in seen:
            seen += peer.recv(65536)
        peer.sendall(OK)
        run.ends(0)
        assert run.process.stdout.read() == b"ok"


def test_inputs_of_every_kind_are_sent_whole():
    data = os.urandom(3_000_000)
    for url_count in (1, 2):
        with kit.folder() as root:
            kit.write(root, "data", data)
            with Origin([READ, OK] * url_count) as origin:
                weft("-T", f"{root}/data", *[origin.url] * url_count)
            assert [seen.split(b"\r\n\r\n", 1)[1] for seen in origin.seen] == [data] * url_count
    weft("-T", "/", "http://127.0.0.1:1/", status=1)
    with Origin([READ, OK]) as origin:
        weft("-T", "/dev/null", origin.url)
        assert b"chunked" in origin.seen[0]


def test_an_upload_that_is_answered_with_another_place_is_not_sent_on():
    away = b"HTTP/1.1 303 S\r\nLocation: /x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    with kit.folder() as root:
        kit.write(root, "data", bytes(50_000_000))
        # (with a lingering close, as RFC 9112, section 9.6, wants it: a reset would take the answer along)
        with Origin([away, END, NEXT, READ, OK]) as origin:
            assert weft("-T", f"{root}/data", origin.url)[0] == b"ok"
            assert origin.seen[0].startswith(b"GET /x ")
    with Origin([away, END, NEXT, READ, OK]) as origin:  # also while the input is silent
        with Run("-T", "-", origin.url, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
            run.ends(0)
            assert run.process.stdout.read() == b"ok"


# -- outputs --


def test_a_reader_that_leaves_ends_it():
    with Origin([READ, LONG, "xs"]) as origin, Run(origin.url, stdout=subprocess.PIPE) as run:
        assert run.process.stdout.read(10) == b"x" * 10
        run.process.stdout.close()
        run.process.stdout = None
        errors = run.ends(23)
        assert "Broken pipe" in errors and errors.count("\n") == 1, errors


def test_a_reader_that_does_not_read_does_not_block_it():
    with Origin([READ, LONG, "xs"]) as origin, Run(origin.url, stdout=subprocess.PIPE) as run:
        asked(origin)
        kit.eventually("a full pipe", lambda: is_asleep(run.process))
        run.process.send_signal(signal.SIGINT)
        assert run.ends(130).endswith("interrupted\n")
    for target in ("stdout", "fifo"):
        with kit.folder() as root, Origin([READ, LONG, "xs"]) as origin:
            os.mkfifo(f"{root}/fifo")
            arguments = ["-o", f"{root}/fifo"] if target == "fifo" else []
            with Run("-m", "300ms", *arguments, origin.url, stdout=subprocess.PIPE) as run:
                run.ends(28)
    small = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000
    with Origin([READ, small]) as origin, Run("-m", "300ms", origin.url, stdout=subprocess.PIPE) as run:
        run.ends(28)  # the response is complete; its reader is not


def test_a_slow_reader_gets_all():
    data = os.urandom(4_000_000)
    with Origin([READ, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data) + data]) as origin:
        for mode in ("pipe", "fifo"):
            with kit.folder() as root:
                os.mkfifo(f"{root}/fifo")
                origin.connections = 0
                arguments = ["-o", f"{root}/fifo"] if mode == "fifo" else []
                with Run(*arguments, origin.url, stdout=subprocess.PIPE) as run:
                    reader = open(f"{root}/fifo", "rb") if mode == "fifo" else run.process.stdout
                    got = b""
                    while len(got) < 600_000:
                        got += reader.read1(1000)
                    got += reader.read()
                    run.ends(0)
                    assert got == data
                    if mode == "fifo":
                        reader.close()


def test_the_output_is_not_made_nonblocking_for_others():
    with Origin([READ, OK]) as origin, Run(origin.url, stdout=subprocess.PIPE) as run:
        run.ends(0)
        assert not fcntl.fcntl(run.process.stdout, fcntl.F_GETFL) & os.O_NONBLOCK
        assert run.process.stdout.read() == b"ok"


def test_output_to_an_open_file_goes_where_its_offset_is():
    with kit.folder() as root, open(f"{root}/all", "w+b") as file:
        for _ in range(3):
            with Origin([READ, OK]) as origin, Run(origin.url, stdout=file) as run:
                run.ends(0)
        file.seek(0)
        assert file.read() == b"okokok"


def test_a_full_disk_is_told():
    with open("/dev/full", "wb", buffering=0) as full:
        for reply in (OK, LONG):
            script = [READ, reply] + (["xs"] if reply is LONG else [])
            with Origin(script) as origin, Run(origin.url, stdout=full) as run:
                errors = run.ends(23)
                assert "No space left" in errors and errors.count("\n") == 1, errors
            with Origin(script) as origin:
                assert "No space left" in weft("-o", "/dev/full", origin.url, status=23)[1]


def test_closed_descriptors_are_not_given_to_a_connection():
    command = 'exec "$@" ' # the shell closes what follows
    for closed, status in ((">&-", 23), ("<&-", 0), ("2>&-", 0), ("<&- 2>&-", 0), ("<&- >&- 2>&-", 23)):
        with Origin([READ, OK]) as origin:
            done = subprocess.run(["sh", "-c", command + closed, "sh", kit.WEFT, "get", origin.url], capture_output=True,
                                  timeout=kit.PATIENCE, check=False)
            kit.eventually("a request", lambda: origin.seen)
        assert done.returncode == status, (closed, done)
        assert done.stdout == (b"" if status else b"ok"), (closed, done)
        assert origin.seen[0].count(b"\r\n\r\n") == 1 and not origin.seen[0].endswith(b"ok"), origin.seen


# -- what must not be shown --


def test_controls_of_a_server_are_not_shown():
    for reason in (b"\x9b31m", "\u009b31m".encode(), "\u0085".encode(), "\u202egpj".encode(), "\u2066x\u2069".encode(),
                   "\u200ex\u200f".encode(), "\u061c".encode(), b"\xc2", b"\xe2\x80", b"\xff\xfe", b"\xe0\x82\x9b",
                   b"\xed\xa0\x80", b"\xf4\x90\x80\x80"):
        with Origin([READ, b"HTTP/1.1 404 a" + reason + b"z\r\nContent-Length: 0\r\n\r\n"]) as origin:
            errors = weft(origin.url, status=22)[1]
        assert "404 a" in errors and errors.endswith("z\n") and not CONTROLS.search(errors), (reason, errors)
    with Origin([READ, "HTTP/1.1 404 Schön 日本 🧵\r\nContent-Length: 0\r\n\r\n".encode()]) as origin:
        assert weft(origin.url, status=22)[1].endswith("404 Schön 日本 🧵\n")


def test_a_header_is_shown_on_a_terminal_without_controls_and_is_exact_elsewhere():
    head = "HTTP/1.1 200 a\u009b31m\r\nX: \u202egpj\r\nContent-Length: 0\r\n\r\n".encode()
    with Origin([READ, head]) as origin:
        assert weft("-i", origin.url)[0] == head
    with Origin([READ, head]) as origin:
        shown = on_terminal("-i", origin.url, all_of_it=True)[0].decode()
    assert "HTTP/1.1 200 a?31m" in shown and "X: ?gpj" in shown and not CONTROLS.search(shown.replace("\r", "")), shown


def test_controls_of_the_command_line_are_not_shown():
    for url in ("http://a\u009b31m/", "http://a\u202eb/", b"http://a\x9b/", "http://a\r/"):
        errors = weft(url, status=2)[1]
        assert errors.count("\n") == 1 and not CONTROLS.search(errors), errors


def test_a_password_in_a_url_is_not_shown():
    for url in ("http://user:se=cret@127.0.0.1:1/", "http://user:se=cret@[::1]:1/", "http://:se=cret@a/", "user:se=cret@a",
                "http://user:se=cret@a@b/", "http://user:se=cret/se=cret@b/", "http://user:se=cret?@b/",
                "ftp://user:se=cret@a/", "//user:se=cret@a/", "http://user:se=cret@a b/", "http://user:se=cret@" + "a" * 300,
                "http://user:" + "x" * 300 + "se=cret@a/", "http:///user:se=cret@a/", "http:/user:se=cret@a/"):
        errors = weft(url, status=2)[1]
        assert "cret" not in errors and "xxxx" not in errors and "***" in errors, errors
        done = subprocess.run([kit.WEFT, url], capture_output=True, check=False)
        assert b"cret" not in done.stderr or "://" not in url, done.stderr
    for url in ("http://127.0.0.1:1/a:b@c", "http://127.0.0.1:1/?q=a:b@c"):
        assert url in weft(url, status=7)[1]


# -- the terminal --


def on_terminal(*arguments, columns=80, act=None, all_of_it=False):
    """Runs it with standard error (and all else, if so wanted) on a terminal. Returns what was shown, the status, and
    whether the terminal's modes are as before."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    before = termios.tcgetattr(slave)
    ends = {"stdin": slave, "stdout": slave} if all_of_it else {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
    process = subprocess.Popen([kit.WEFT, "get", *arguments], stderr=slave, **ends)
    text = b""
    drain = threading.Thread(target=process.communicate, daemon=True)
    drain.start()
    try:
        while drain.is_alive() or select.select([master], [], [], 0)[0]:
            if select.select([master], [], [], 0.05)[0]:
                text += os.read(master, 65536)
            if act and act(process, text):
                act = None
        same = termios.tcgetattr(slave) == before
    finally:
        if process.poll() is None:
            process.kill()
        drain.join()
        os.close(slave)
        os.close(master)
    return text, process.returncode, same


def rows(text):
    """What each line held, one after the other, without what the terminal does not show."""
    return [row for row in re.split("[\r\n]+", text.decode().replace("\033[K", "")) if row]


def test_the_bar_fits_the_terminal():
    body = b"x" * 3_000_000
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    for columns in (200, 80, 40, 20, 10, 0):
        with kit.folder() as root, Origin([READ, reply]) as origin:
            text, status, same = on_terminal("-o", f"{root}/a", origin.url, columns=columns)
        assert status == 0 and same and b"100%" in text and text.endswith(b"\n") and text.count(b"\n") == 1, text
        for row in rows(text):
            assert len(row) < (columns or 80), (columns, row)


def test_the_bar_ends_its_line_when_interrupted():
    def act(process, text):
        if b"%" in text:
            process.send_signal(signal.SIGINT)
            return True
        return False

    with kit.folder() as root, Origin([READ, LONG + b"x" * 1000, HANG]) as origin:
        text, status, same = on_terminal("-o", f"{root}/a", origin.url, act=act)
    assert status == 130 and same, (status, text)
    assert rows(text)[-1].endswith("interrupted") and text.endswith(b"\n"), text
    assert b"\n" in text[:text.index(b"weft get:")], text


def test_the_bar_moves_while_the_server_is_silent():
    def act(process, text):
        if text.count(b"\r") >= 3:
            process.send_signal(signal.SIGINT)
            return True
        return False

    with kit.folder() as root, Origin([READ, LONG + b"x" * 1000, HANG]) as origin:
        assert on_terminal("-o", f"{root}/a", origin.url, act=act)[1] == 130


def test_there_is_no_bar_where_none_is_wanted():
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with Origin([READ, reply]) as origin:
        assert on_terminal(origin.url, all_of_it=True)[0] == b"ok"  # it would stand in the content
    with kit.folder() as root:
        for arguments in (["-q"],):
            with Origin([READ, reply]) as origin:
                assert on_terminal(*arguments, "-o", f"{root}/a", origin.url)[0] == b""
        with Origin([READ, b"HTTP/1.1 404 N\r\nContent-Length: 2\r\n\r\nno"]) as origin:
            text, status, _ = on_terminal("-o", f"{root}/b", origin.url)
            assert status == 22 and text.count(b"\n") == 1 and b"%" not in text, text


if __name__ == "__main__":
    kit.main(globals())
