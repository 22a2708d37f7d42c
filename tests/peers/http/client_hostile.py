# SPDX-License-Identifier: MIT
"""`weft get` against servers that break every rule: a table of scripts, each with the exact outcome (H1-31, H1-32, H1-35,
and the client's side of H1-03 to H1-09).

A script is a list of steps that a server plays on one connection: bytes are sent, and a word says what to do. What a
connection after the first is to do follows after NEXT. The outcome is the exit status, and what was written."""
import os
import subprocess
import sys
import threading

import kit
from client_origin import (CLOSE, END, HANG, NEXT, READ, RESET, Origin, slowly)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
DONE, TRUNCATED, STATUS, TIMEOUT, REDIRECTS, PROTOCOL, LIMIT = 0, 18, 22, 28, 47, 56, 63
NO_CONNECTION = 7


def length(value, body=b"ok", name=b"Content-Length"):
    return HEAD + name + b": " + value + b"\r\n\r\n" + body


def fields(*lines, body=b"ok"):
    return HEAD + b"".join(line + b"\r\n" for line in lines) + b"Content-Length: %d\r\n\r\n" % len(body) + body


def chunks(raw):
    return CHUNKED + raw


def redirect(to, status=302):
    return b"HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, to)


# name, what the server does, exit status, standard output (None: not looked at), arguments
CASES = [
    # -- what is in order, or close to it: the others would prove nothing if these failed
    ("plain", [READ, OK], DONE, b"ok"),
    ("byte by byte", [READ, *slowly(OK)], DONE, b"ok"),
    ("chunks byte by byte", [READ, *slowly(chunks(b"1\r\no\r\n1\r\nk\r\n0\r\n\r\n"))], DONE, b"ok"),
    ("no reason phrase", [READ, b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok"], DONE, b"ok"),
    ("no space before a reason", [READ, b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"], DONE, b"ok"),
    ("HTTP/1.0 until close", [READ, b"HTTP/1.0 200 OK\r\n\r\nok", CLOSE], DONE, b"ok"),
    ("HTTP/1.1 until close", [READ, HEAD + b"\r\nok", CLOSE], DONE, b"ok"),
    ("until half-close", [READ, HEAD + b"\r\nok", END], DONE, b"ok"),
    ("no content", [READ, b"HTTP/1.1 204 No\r\n\r\n"], DONE, b""),
    ("no content with a length", [READ, b"HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n"], DONE, b""),
    ("an empty body", [READ, length(b"0", b"")], DONE, b""),
    ("trailers", [READ, chunks(b"2\r\nok\r\n0\r\nA: b\r\n\r\n")], DONE, b"ok"),
    ("chunk extensions", [READ, chunks(b"2;a=\"b\"\r\nok\r\n0;c\r\n\r\n")], DONE, b"ok"),
    ("interim responses", [READ, b"HTTP/1.1 103 H\r\n\r\n" * 32 + OK], DONE, b"ok"),
    ("a status that nobody knows", [READ, b"HTTP/1.1 299 What\r\nContent-Length: 2\r\n\r\nok"], DONE, b"ok"),

    # -- nothing, or not enough
    ("closes at once", [CLOSE], (TRUNCATED, PROTOCOL), b""),  # what was sent to it may be answered with a reset
    ("closes after the request", [READ, CLOSE], TRUNCATED, b""),
    ("resets at once", [RESET], PROTOCOL, b""),
    ("resets after the request", [READ, RESET], PROTOCOL, b""),
    ("one byte", [READ, b"H", CLOSE], TRUNCATED, b""),
    ("half a status line", [READ, b"HTTP/1.1 200 O", CLOSE], TRUNCATED, b""),
    ("half a head", [READ, HEAD + b"Content-Le", CLOSE], TRUNCATED, b""),
    ("a head without its end", [READ, HEAD + b"Content-Length: 2\r\n", CLOSE], TRUNCATED, b""),
    ("a reset in the head", [READ, HEAD + b"Conte", RESET], PROTOCOL, b""),
    ("a body cut short", [READ, length(b"5", b"ok"), CLOSE], TRUNCATED, b"ok"),
    ("a body cut by half-close", [READ, length(b"5", b"ok"), END], TRUNCATED, b"ok"),
    ("no body at all", [READ, length(b"5", b""), CLOSE], TRUNCATED, b""),
    ("a body cut by a reset", [READ, length(b"5", b"ok"), RESET], PROTOCOL, None),
    ("a body until a reset", [READ, HEAD + b"\r\nok", RESET], PROTOCOL, None),
    ("chunks without the last", [READ, chunks(b"2\r\nok\r\n"), CLOSE], TRUNCATED, b"ok"),
    ("half a chunk", [READ, chunks(b"5\r\nok"), CLOSE], TRUNCATED, b"ok"),
    ("a chunk's size cut", [READ, chunks(b"2\r\nok\r\n5"), CLOSE], TRUNCATED, b"ok"),
    ("a chunk without its line end", [READ, chunks(b"2\r\nok"), CLOSE], TRUNCATED, b"ok"),
    ("last chunk without the empty line", [READ, chunks(b"2\r\nok\r\n0\r\n"), CLOSE], TRUNCATED, b"ok"),
    ("trailers cut", [READ, chunks(b"2\r\nok\r\n0\r\nA: "), CLOSE], TRUNCATED, b"ok"),
    ("an interim response only", [READ, b"HTTP/1.1 100 Continue\r\n\r\n", CLOSE], TRUNCATED, b""),

    # -- too slow
    ("says nothing", [READ, HANG], TIMEOUT, b"", "-m", "300ms"),
    ("does not read", [HANG], TIMEOUT, b"", "-m", "300ms"),
    ("stops in the head", [READ, HEAD, HANG], TIMEOUT, b"", "-m", "300ms"),
    ("stops in the body", [READ, length(b"5", b"ok"), HANG], TIMEOUT, b"ok", "-m", "300ms"),
    ("stops between chunks", [READ, chunks(b"2\r\nok\r\n"), HANG], TIMEOUT, b"ok", "-m", "300ms"),
    ("drips for ever", [READ, HEAD + b"\r\n", "drip"], TIMEOUT, None, "-m", "500ms"),
    ("interim responses for ever", [READ, "interim"], LIMIT, b"", "-m", "20s"),

    # -- two readers, two meanings (H1-01 to H1-09)
    ("two lengths", [READ, HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok"], PROTOCOL, b""),
    ("the same length twice", [READ, HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok"], PROTOCOL, b""),
    ("a list of lengths", [READ, length(b"2, 2")], PROTOCOL, b""),
    ("a length and chunks", [READ, HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"], PROTOCOL, b""),
    ("a negative length", [READ, length(b"-1")], PROTOCOL, b""),
    ("a signed length", [READ, length(b"+2")], PROTOCOL, b""),
    ("a hexadecimal length", [READ, length(b"0x2")], PROTOCOL, b""),
    ("a length with a space", [READ, length(b"2 0")], PROTOCOL, b""),
    ("an empty length", [READ, length(b"")], PROTOCOL, b""),
    ("a leading zero", [READ, length(b"02")], PROTOCOL, b""),
    ("a length of 2^64", [READ, length(b"18446744073709551616")], PROTOCOL, b""),
    ("a length of 2^63", [READ, length(b"9223372036854775808")], PROTOCOL, b""),
    ("a length of many digits", [READ, length(b"9" * 400)], PROTOCOL, b""),
    ("two transfer codings", [READ, HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"], PROTOCOL, b""),
    ("chunked twice", [READ, HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"], PROTOCOL, b""),
    ("chunked not last", [READ, HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"], PROTOCOL, b""),
    ("a transfer coding nobody knows", [READ, HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"], PROTOCOL, b""),
    ("chunks in HTTP/1.0", [READ, b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"], PROTOCOL, b""),
    ("a space before the colon", [READ, HEAD + b"Content-Length : 2\r\n\r\nok"], PROTOCOL, b""),
    ("a folded line", [READ, HEAD + b"A: b\r\n c\r\nContent-Length: 2\r\n\r\nok"], PROTOCOL, b""),
    ("a bare LF", [READ, b"HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok"], PROTOCOL, b""),
    ("bare LFs only", [READ, b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok"], PROTOCOL, b""),
    ("a bare CR", [READ, HEAD + b"A: b\rc\r\nContent-Length: 2\r\n\r\nok"], PROTOCOL, b""),
    ("a NUL in a value", [READ, fields(b"A: b\0c")], PROTOCOL, b""),
    ("a NUL in a name", [READ, fields(b"A\0: b")], PROTOCOL, b""),
    ("a control character", [READ, fields(b"A: \x1b[31m")], PROTOCOL, b""),
    ("a field without a name", [READ, fields(b": b")], PROTOCOL, b""),
    ("a field without a colon", [READ, fields(b"A")], PROTOCOL, b""),
    ("a chunk size that is none", [READ, chunks(b"x\r\nok\r\n0\r\n\r\n")], PROTOCOL, b""),
    ("a chunk size with a sign", [READ, chunks(b"+2\r\nok\r\n0\r\n\r\n")], PROTOCOL, b""),
    ("a chunk size with 0x", [READ, chunks(b"0x2\r\nok\r\n0\r\n\r\n")], PROTOCOL, b""),
    ("a chunk size of 17 digits", [READ, chunks(b"10000000000000002\r\nok\r\n0\r\n\r\n")], PROTOCOL, b""),
    ("a chunk size of 2^64 - 1", [READ, chunks(b"ffffffffffffffff\r\nok\r\n0\r\n\r\n")], PROTOCOL, b""),
    ("an empty chunk size", [READ, chunks(b"\r\nok\r\n0\r\n\r\n")], PROTOCOL, b""),
    ("a chunk that spills", [READ, chunks(b"2\r\nokay\r\n0\r\n\r\n")], PROTOCOL, b"ok"),
    ("a chunk's size ends with LF", [READ, chunks(b"2\nok\r\n0\r\n\r\n")], PROTOCOL, b""),
    ("a chunk extension of 64 KiB", [READ, chunks(b"2;" + b"a" * 65536 + b"\r\nok\r\n0\r\n\r\n")], PROTOCOL, b""),
    ("extensions that add up", [READ, chunks(b"".join(b"1;" + b"a" * 1000 + b"\r\nx\r\n" for _ in range(40)))], PROTOCOL, None),
    ("Content-Length in a trailer", [READ, chunks(b"2\r\nok\r\n0\r\nContent-Length: 5\r\n\r\n")], PROTOCOL, b"ok"),
    ("Set-Cookie and framing in a trailer", [READ, chunks(b"2\r\nok\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n")], PROTOCOL, b"ok"),

    # -- no HTTP, or another one
    ("HTTP/0.9", [READ, b"<html>\r\nok</html>", CLOSE], PROTOCOL, b""),
    ("HTTP/0.9 of less than a line", [READ, b"<html>ok</html>", HANG], PROTOCOL, b""),
    ("HTTP/2 preface", [READ, b"\0\0\x12\x04\0\0\0\0\0", CLOSE], PROTOCOL, b""),
    ("HTTP/2.0", [READ, b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok"], PROTOCOL, b""),
    ("a version that is none", [READ, b"HTTP/1.x 200 OK\r\nContent-Length: 2\r\n\r\nok"], PROTOCOL, b""),
    ("lower case http", [READ, b"http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"], PROTOCOL, b""),
    ("ICY", [READ, b"ICY 200 OK\r\n\r\nok", CLOSE], PROTOCOL, b""),
    ("an SSH server", [b"SSH-2.0-OpenSSH_9.2\r\n", READ, HANG], PROTOCOL, b"", "-m", "20s"),
    ("a status of two digits", [READ, b"HTTP/1.1 20 OK\r\n\r\n", CLOSE], PROTOCOL, b""),
    ("a status of four digits", [READ, b"HTTP/1.1 2000 OK\r\n\r\n", CLOSE], PROTOCOL, b""),
    ("a status of zero", [READ, b"HTTP/1.1 000 OK\r\n\r\n", CLOSE], PROTOCOL, b""),
    ("a negative status", [READ, b"HTTP/1.1 -20 OK\r\n\r\n", CLOSE], PROTOCOL, b""),
    ("a switch that nobody asked for", [READ, b"HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"], PROTOCOL, b""),
    ("random bytes", [READ, bytes(range(256)) * 100, CLOSE], PROTOCOL, b""),
    ("zeros for ever", [READ, "zeros"], PROTOCOL, b"", "-m", "20s"),

    # -- too much
    ("a head of 10 MB", [READ, HEAD + b"A: " + b"x" * 10_000_000], LIMIT, b""),
    ("a status line of 1 MB", [READ, b"HTTP/1.1 200 " + b"x" * 1_000_000], LIMIT, b""),
    ("a name of 1 MB", [READ, HEAD + b"x" * 1_000_000], LIMIT, b""),
    ("10,000 fields", [READ, HEAD + b"A: b\r\n" * 10_000 + b"\r\n"], LIMIT, b""),
    ("a field line for ever", [READ, HEAD + b"A: ", "xs"], LIMIT, b"", "-m", "20s"),
    ("33 interim responses", [READ, b"HTTP/1.1 103 H\r\n\r\n" * 33 + OK], LIMIT, b""),
    ("a body over the limit", [READ, length(b"3", b"abc")], LIMIT, b"", "--max-size", "2"),
    ("chunks over the limit", [READ, chunks(b"2\r\nok\r\n1\r\nx\r\n0\r\n\r\n")], LIMIT, b"ok", "--max-size", "2"),
    ("10,000 trailers", [READ, chunks(b"0\r\n" + b"A: b\r\n" * 10_000 + b"\r\n")], LIMIT, b""),

    # -- more than was asked for
    ("a second response", [READ, OK + OK], DONE, b"ok"),
    ("a second response is not the next one's", [READ, OK + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison", NEXT, READ, OK],
     DONE, b"okok", "{url}/second"),
    ("a late second response is not the next one's", [READ, OK, READ, OK[:10], OK[10:] + b"poison", NEXT, READ, OK], DONE,
     b"okokok", "{url}/2", "{url}/3"),
    ("what comes after the next request is no answer", [READ, OK, READ, b"poison", HANG], PROTOCOL, b"ok", "{url}/2"),
    ("a body after HEAD", [READ, length(b"2")], DONE, None, "-I"),
    ("a body after 204", [READ, b"HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\nok", NEXT, READ, OK], DONE, b"ok", "{url}/2"),
    ("a response before the request", [OK, READ, HANG], DONE, b"ok", "-m", "20s"),
    ("closed while idle", [READ, OK, READ, CLOSE, NEXT, READ, OK], DONE, b"okok", "{url}/2"),
    ("reset while idle", [READ, OK, READ, RESET, NEXT, READ, OK], DONE, b"okok", "{url}/2"),
    ("closed while idle, twice", [READ, OK, READ, CLOSE, NEXT, READ, CLOSE], TRUNCATED, b"ok", "{url}/2"),

    # -- codings (H1-24)
    ("gzip that is none", [READ, fields(b"Content-Encoding: gzip", body=b"no gzip here")], PROTOCOL, b"", "--compressed"),
    ("a coding nobody asked for", [READ, fields(b"Content-Encoding: br")], PROTOCOL, b"", "--compressed"),
    ("gzip in gzip", [READ, fields(b"Content-Encoding: gzip, gzip")], PROTOCOL, b"", "--compressed"),
    ("gzip cut short", [READ, fields(b"Content-Encoding: gzip", body=b"\x1f\x8b\x08\0\0\0\0\0\0\x03")], TRUNCATED, b"", "--compressed"),
    ("coded, and nobody asked", [READ, fields(b"Content-Encoding: gzip", body=b"\x1f\x8bx")], DONE, b"\x1f\x8bx"),

    # -- redirects (H1-32, H1-36)
    ("a redirect to a file", [READ, redirect(b"file:///etc/passwd")], REDIRECTS, b""),
    ("a redirect to gopher", [READ, redirect(b"gopher://127.0.0.1/")], REDIRECTS, b""),
    ("a redirect to nowhere", [READ, redirect(b"http://")], REDIRECTS, b""),
    ("a redirect with two Locations", [READ, b"HTTP/1.1 302 F\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"], PROTOCOL, b""),
    ("a redirect to 127.1", [READ, redirect(b"http://127.1/")], REDIRECTS, b""),
    ("a redirect with a backslash", [READ, redirect(b"http://good.example\\@127.0.0.1/")], REDIRECTS, b""),
    ("a redirect to https", [READ, redirect(b"https://127.0.0.1:1/")], NO_CONNECTION, b""),
    ("a redirect to itself", ["loop"], REDIRECTS, b""),
    ("a redirect without a Location", [READ, b"HTTP/1.1 302 F\r\nContent-Length: 2\r\n\r\nok"], DONE, b"ok"),
    ("a redirect with an endless body", [READ, b"HTTP/1.1 302 F\r\nLocation: /x\r\n\r\n", "xs", NEXT, READ, OK], DONE, b"ok",
     "-m", "20s"),
    ("a redirect that is cut short", [READ, b"HTTP/1.1 302 F\r\nLocation: /x\r\nContent-Length: 9\r\n\r\nx", CLOSE], TRUNCATED, b""),
    ("an error that is not printed", [READ, b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno"], STATUS, b""),
]


def run(case):
    name, script, status, output, *arguments = case
    with Origin(script) as origin:
        command = [kit.WEFT, "get", "-q", *[argument.format(url=origin.url) for argument in arguments], origin.url + "/"]
        got = subprocess.run(command, capture_output=True, timeout=kit.PATIENCE, stdin=subprocess.DEVNULL, check=False)
    said = got.stderr.decode("utf-8", "backslashreplace")
    problems = []
    if got.returncode not in (status if isinstance(status, tuple) else (status,)):
        problems.append(f"exit status {got.returncode}, not {status}")
    if output is not None and got.stdout != output:
        problems.append(f"output {got.stdout[:80]!r}, not {output!r}")
    if (status != 0) != bool(said) or kit.SANITIZER.search(said) or len(said.splitlines()) > 1:
        problems.append("it should have said " + ("one line" if status else "nothing"))
    if any(ord(c) < 32 and c != "\n" for c in said):
        problems.append("control characters reach the terminal")
    return [f"{name}: {problem}; it said: {said.strip()}" for problem in problems]


def leaks():
    """What may go to another origin, and what may not, as the other origin sees it."""
    problems = []
    secrets = ["-u", "SECRET:SECRET", "-H", "Cookie: SECRET", "-H", "Authorization-Not: shown"]
    for host in ("127.0.0.1", "127.0.0.2", "localhost"):
        with Origin([READ, OK], host="127.0.0.2" if host == "127.0.0.2" else "127.0.0.1") as other:
            to = f"http://{host}:{other.port}/x"
            with Origin([READ, redirect(to.encode()), READ, redirect(to.encode())]) as first:
                got = subprocess.run([kit.WEFT, "get", "-q", *secrets, first.url + "/"], capture_output=True, check=False,
                                     timeout=kit.PATIENCE, stdin=subprocess.DEVNULL)
            if got.returncode != 0 or got.stdout != b"ok":
                problems.append(f"leak to {host}: {got}")
            if b"SECRET" in b"".join(other.seen) or b"Authorization:" in b"".join(other.seen):
                problems.append(f"secrets went to {to}: {other.seen}")
            if b"Authorization-Not: shown" not in b"".join(other.seen):
                problems.append(f"a field that is no secret did not arrive at {to}")
            if b"Cookie: SECRET" not in b"".join(first.seen) or b"Authorization: Basic" not in b"".join(first.seen):
                problems.append(f"secrets did not go to their own origin: {first.seen}")
    return problems


def main():
    problems, lock, cases = [], threading.Lock(), list(CASES)

    def work():
        while True:
            with lock:
                if not cases:
                    return
                case = cases.pop()
            try:
                found = run(case)
            except Exception as error: # a thread's own would be lost
                found = [f"{case[0]}: {error!r}"]
            with lock:
                problems.extend(found)

    workers = [threading.Thread(target=work) for _ in range(int(os.environ.get("WEFT_TEST_JOBS", "4")))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    problems += leaks()
    for problem in problems:
        print(problem)
    print(f"{len(CASES) + 3} hostile servers, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
