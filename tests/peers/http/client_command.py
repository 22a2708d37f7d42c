#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`weft get` as a person or a shell uses it: files, digests, resumption, exit statuses, what is said on standard error."""
import hashlib
import os
import pty
import signal
import subprocess
import sys
import threading

import kit
from client_origin import CLOSE, HANG, READ, Origin

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nLast-Modified: Mon, 02 Jan 2023 03:04:05 GMT\r\n\r\nok"
CHANGED = 1672628645


def weft(*arguments, status=0, cwd=None, data=None):
    done = subprocess.run([kit.WEFT, "get", *arguments], capture_output=True, timeout=kit.PATIENCE, cwd=cwd, check=False,
                          input=data)
    errors = done.stderr.decode()
    assert done.returncode == status, (arguments, done.returncode, errors)
    assert not kit.SANITIZER.search(errors), errors
    return done.stdout, errors


def test_files(root):
    with Origin([READ, OK, READ, OK, CLOSE]) as origin:
        assert weft("-o", "out", origin.url, cwd=root) == (b"", "")
    assert open(f"{root}/out", "rb").read() == b"ok" and int(os.stat(f"{root}/out").st_mtime) == CHANGED
    with Origin([READ, OK]) as origin:
        weft("-O", origin.url + "/a/b%20c.txt?x=/y#z", cwd=root)
    assert open(f"{root}/b%20c.txt", "rb").read() == b"ok"
    for path in ["/", "", "/..", "/.", "/a/", "?x/y"]:
        out, errors = weft("-O", "http://127.0.0.1:1" + path, status=2, cwd=root)
        assert "no name" in errors and not out, errors
    with Origin([READ, OK]) as origin:
        assert "No such file" in weft("-o", "none/out", origin.url, cwd=root, status=23)[1]
    with Origin([READ, OK]) as origin:
        assert weft("-o", "-", origin.url)[0] == b"ok"
    if os.path.exists("/dev/full"):
        with Origin([READ, OK]) as origin:
            assert "No space left" in weft("-o", "/dev/full", origin.url, status=23)[1]


def test_digest(root):
    digest = hashlib.sha256(b"ok").hexdigest()
    for given, status in [(digest, 0), (digest.upper(), 0), ("0" * 64, 90)]:
        with Origin([READ, OK]) as origin:
            errors = weft("--check", "sha256=" + given, "-o", "d", origin.url, cwd=root, status=status)[1]
        assert (digest in errors) == (status == 90)
    for bad in ["sha256=", "sha1=" + digest, "sha256=" + digest[1:], "sha256=" + "g" * 64]:
        assert "sha256=" in weft("--check", bad, "http://127.0.0.1:1/", status=2)[1]


def partial(first, last, length, body):
    return (b"HTTP/1.1 206 P\r\nContent-Range: bytes %s-%s/%s\r\nContent-Length: %d\r\n\r\n" %
            (first, last, length, len(body))) + body


def test_resumption(root):
    path = f"{root}/part"
    for answer, status, left in [
            (partial(b"3", b"5", b"6", b"def"), 0, b"abcdef"),
            (partial(b"3", b"5", b"*", b"def"), 0, b"abcdef"),
            (partial(b"0", b"5", b"6", b"abcdef"), 33, b"abc"),
            (partial(b"4", b"5", b"6", b"ef"), 33, b"abc"),
            (partial(b"3", b"9", b"6", b"def"), 33, b"abc"),
            (partial(b"3", b"4", b"6", b"de"), 33, b"abc"),
            (partial(b"3", b"5", b"6", b"defg"), 33, b"abc"),
            (partial(b"x", b"5", b"6", b"def"), 33, b"abc"),
            (b"HTTP/1.1 206 P\r\nContent-Length: 3\r\n\r\ndef", 33, b"abc"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew", 0, b"new"),
            (b"HTTP/1.1 416 R\r\nContent-Range: bytes */3\r\nContent-Length: 0\r\n\r\n", 0, b"abc"),
            (b"HTTP/1.1 416 R\r\nContent-Range: bytes */2\r\nContent-Length: 0\r\n\r\n", 33, b"abc"),
            (b"HTTP/1.1 404 N\r\nContent-Length: 0\r\n\r\n", 22, b"abc")]:
        with open(path, "wb") as file:
            file.write(b"abc")
        os.utime(path, (CHANGED, CHANGED))
        with Origin([READ, answer]) as origin:
            weft("-C", "-", "-o", "part", origin.url, cwd=root, status=status)
            assert b"\r\nRange: bytes=3-\r\n" in origin.seen[0] and b"If-Range: Mon, 02 Jan 2023 03:04:05 GMT" in origin.seen[0]
        assert open(path, "rb").read() == left, (answer, open(path, "rb").read())
    assert "needs a file" in weft("-C", "-", "http://127.0.0.1:1/", status=2)[1]
    assert "within the file" in weft("-C", "9", "-o", "part", "http://127.0.0.1:1/", cwd=root, status=2)[1]
    os.unlink(path)
    with Origin([READ, OK]) as origin: # nothing there: from the beginning
        weft("-C", "-", "-o", "part", origin.url, cwd=root)
        assert b"Range" not in origin.seen[0]


def test_requests(root):
    kit.write(root, "file", b"content")
    for arguments, there, absent in [
            ([], [b"GET / HTTP/1.1\r\n"], [b"Accept-Encoding"]),
            (["-X", "DELETE"], [b"DELETE / "], []),
            (["-I"], [b"HEAD / "], []),
            (["-H", "A: b", "-H", "User-Agent:me "], [b"\r\nA: b\r\n", b"\r\nUser-Agent: me\r\n"], [b"weft/"]),
            (["-d", "a=b", "-d", "@file"], [b"POST / ", b"x-www-form-urlencoded", b"\r\n\r\na=b&content"], []),
            (["-d", "@-"], [b"\r\n\r\nfrom standard input"], []),
            (["-d", "x", "-H", "Content-Type: text/x", "-X", "PUT"], [b"PUT / ", b"text/x"], [b"urlencoded"]),
            (["-T", "file"], [b"PUT / ", b"Content-Length: 7\r\n", b"\r\n\r\ncontent"], []),
            (["-F", "a=b", "-F", "f=@file;type=text/x"],
             [b"POST / ", b'name="a"\r\n\r\nb\r\n', b'name="f"; filename="file"\r\nContent-Type: text/x\r\n\r\ncontent\r\n'], []),
            (["-u", "me:pw:x"], [b"Authorization: Basic bWU6cHc6eA=="], []),
            (["-u", "me"], [b"Authorization: Basic bWU6\r\n"], []),
            (["--compressed"], [b"Accept-Encoding: gzip, deflate\r\n"], [])]:
        answer = OK[:-2] if "-I" in arguments else OK
        with Origin([READ, answer]) as origin:
            weft(*arguments, origin.url, cwd=root, data=b"from standard input")
        for text in there:
            assert text in origin.seen[0], (arguments, text, origin.seen)
        for text in absent:
            assert text not in origin.seen[0], (arguments, text, origin.seen)
    with Origin([READ, OK]) as origin:
        assert weft("-i", origin.url)[0] == OK.replace(b"200 OK", b"200 OK")


def test_mistakes(root):
    for arguments, status, words in [
            ([], 2, "URL is missing"), (["-H", "nonsense", "http://a/"], 2, "'Name: value'"),
            (["-H", "A: b\r\nC: d", "http://127.0.0.1:1/"], 2, "Invalid argument"),
            (["-H", "Host: x", "http://127.0.0.1:1/"], 2, "Invalid argument"),
            (["-F", "x", "http://a/"], 2, "NAME=VALUE"), (["-d", "x", "-F", "a=b", "http://a/"], 2, "only one"),
            (["-d", "@nowhere", "http://a/"], 1, "No such file"), (["-T", "nowhere", "http://a/"], 1, "No such file"),
            (["-o", "x", "http://a/", "http://b/"], 2, "for one URL"), (["-o", "x", "-O", "http://a/"], 2, "exclude"),
            (["-4", "-6", "http://a/"], 2, "exclude"), (["nonsense"], 2, "not valid"), (["ftp://a/"], 2, "scheme"),
            (["https://127.0.0.1:1/"], 7, "refused"), (["--key", "k", "http://a/"], 2, "--cert"), (["http://user@127.0.0.1:1/"], 2, "not valid"),
            (["http://127.0.0.1:1/"], 7, "refused"), (["-6", "http://127.0.0.1:1/"], 7, "wanted kind"),
            (["http://a b/"], 2, "not valid"), (["http://\x1b[31m/"], 2, "not valid")]:
        out, errors = weft(*arguments, cwd=root, status=status)
        assert words in errors and not out, (arguments, errors)
        assert errors.startswith("weft get: ") and errors.endswith("\n") and errors.count("\n") == 1, errors
        assert "\x1b" not in errors


def test_statuses(_):
    with Origin([READ, b"HTTP/1.1 404 Gone Fishing\r\nContent-Length: 2\r\n\r\nno", READ, OK]) as origin:
        out, errors = weft(origin.url + "/a", origin.url + "/b", status=22)
        assert out == b"ok" and "404 Gone Fishing" in errors
    with Origin([READ, b"HTTP/1.1 404 N\r\nContent-Length: 2\r\n\r\nno"]) as origin:
        assert weft("--no-fail", origin.url)[0] == b"no"


def test_interrupts(root):
    with Origin([READ, OK[:-1], HANG]) as origin:
        process = subprocess.Popen([kit.WEFT, "get", "-o", f"{root}/cut", origin.url], stderr=subprocess.PIPE)
        while not os.path.exists(f"{root}/cut"):
            threading.Event().wait(0.01)
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=kit.PATIENCE)[1]
    assert process.returncode == 130 and errors.endswith(b"interrupted\n"), (process.returncode, errors)
    assert int(os.stat(f"{root}/cut").st_mtime) == CHANGED # so it can be gone on with


def test_progress(root):
    body = b"x" * 3_000_000
    with Origin([READ, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body]) as origin:
        master, slave = pty.openpty()
        process = subprocess.Popen([kit.WEFT, "get", "-o", f"{root}/p", origin.url], stderr=slave)
        os.close(slave)
        text = b""
        try:
            while more := os.read(master, 65536):
                text += more
        except OSError: # the terminal's other end is closed
            pass
        os.close(master)
        assert process.wait(kit.PATIENCE) == 0
    assert b"100%" in text and b"2930 K" in text and text.endswith(b"\r\n"), text
    with Origin([READ, OK]) as origin:
        assert weft("-o", f"{root}/p", origin.url)[1] == ""


def test_through(root):
    with Origin([READ, OK]) as origin:
        assert weft("--through", f"tcp://127.0.0.1:{origin.port}", "http://elsewhere.example/x")[0] == b"ok"
        assert b"Host: elsewhere.example\r\n" in origin.seen[0]
    assert "No such file" in weft("--through", f"unix://{root}/none", "http://a/", status=7)[1]


def test_environment(root):
    """No variable sends a request elsewhere: a proxy is what somebody asked for with an option."""
    with Origin([READ, OK]) as origin, Origin([READ, OK]) as proxy:
        for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]:
            os.environ[name] = proxy.url
        try:
            assert weft(origin.url)[0] == b"ok"
        finally:
            for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]:
                del os.environ[name]
        assert not proxy.seen and origin.seen[0].startswith(b"GET / ")


def main():
    for name, test in sorted(globals().items()):
        if name.startswith("test_"):
            with kit.folder() as root:
                test(root)
    print("all is well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
