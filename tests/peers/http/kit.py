# SPDX-License-Identifier: MIT
"""What the tests with real clients share: a server in a folder of its own, sockets with timeouts, responses read by
the book, and what the system knows about a process. Nothing here depends on how fast the machine is: the timeouts
only turn a test that hangs into one that fails."""
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

SOURCE = os.environ.get("WEFT_SOURCE_DIR") or os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
BUILD = os.environ.get("WEFT_BUILD_DIR") or os.path.join(SOURCE, "build", "release")
WEFT = os.path.join(BUILD, "weft")
PATIENCE = 60  # seconds until what does not happen is a failure
LISTENING = re.compile(r"listening on (\S+)")
SANITIZER = re.compile(r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:")


def sanitized():
    """Whether the programs were built with a sanitizer, under which figures of memory mean nothing."""
    with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as cache:
        return any(re.match(r"WEFT_SANITIZE:\w+=.", line) for line in cache)


def example(name):
    return os.path.join(BUILD, "examples", name)


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            skip(f"{program} is not installed")


def folder():
    """A new folder in the build directory, which goes away with the object."""
    return tempfile.TemporaryDirectory(prefix="peers-", dir=BUILD)


def write(root, name, data, age=10):
    """Writes a file below root that was last changed age seconds ago, so that its entity tag is strong."""
    path = os.path.join(os.fsencode(root), os.fsencode(name))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    then = time.time() - age
    os.utime(path, (then, then))
    return path


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Server:
    """A server that is started at once and ended with `with`. Its URLs come from the lines that it prints."""

    def __init__(self, *command, wrap=(), listeners=1, cwd=None, status=0, stdout=None):
        self.expected = status
        self.signals = 0
        self.lines = []
        self.urls = []
        self.said = threading.Condition()
        self.output = tempfile.TemporaryFile(dir=BUILD)
        self.process = subprocess.Popen([*wrap, *command], stdin=subprocess.DEVNULL, stdout=stdout or self.output,
                                        stderr=subprocess.PIPE, cwd=cwd)
        self.pid = self.process.pid
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        with self.said:
            self.said.wait_for(lambda: len(self.urls) >= listeners or not self.reader.is_alive(), PATIENCE)
        if len(self.urls) < listeners:
            self.process.kill()
            raise AssertionError(f"{command} does not listen: {self.text()}")
        self.url = self.urls[0].rstrip("/")
        match = re.search(r":(\d+)/?$", self.url)
        self.port = int(match[1]) if match else None

    def _read(self):
        for line in self.process.stderr:
            with self.said:
                text = line.decode("utf-8", "backslashreplace").rstrip("\n")
                self.lines.append(text)
                match = LISTENING.search(text)
                if match:
                    self.urls.append(match[1])
                self.said.notify_all()
        with self.said:
            self.said.notify_all()

    def text(self):
        return "\n".join(self.lines)

    def wait_for(self, pattern):
        """Waits until it has said a line that the pattern is found in."""
        with self.said:
            found = self.said.wait_for(lambda: any(re.search(pattern, line) for line in self.lines), PATIENCE)
        assert found, f"never said {pattern!r}: {self.text()}"

    def log(self):
        """What it has written to standard output so far."""
        self.output.seek(0)
        return self.output.read()

    def signal(self, number=signal.SIGTERM):
        self.signals += 1
        self.process.send_signal(number)

    def wait(self):
        """Its exit status."""
        status = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        return status

    def stop(self):
        if not self.signals:
            self.signal()
        try:
            status = self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.wait()
            raise AssertionError(f"it did not end after SIGTERM: {self.text()}") from None
        assert not SANITIZER.search(self.text()), self.text()
        assert status == self.expected, f"exit status {status}, not {self.expected}: {self.text()}"

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.stop()
            elif self.process.poll() is None:
                self.process.kill()
                self.wait()
        finally:
            if kind is not None and self.lines:
                print("the server said:\n  " + "\n  ".join(self.lines[-20:]))
            if not self.reader.is_alive():
                self.process.stderr.close()
            self.output.close()


def web(root, *options, **rest):
    """`weft web` for a folder, on a free port, with one worker if nothing else is asked for."""
    workers = [] if any(option in ("-w", "--workers") for option in options) else ["--workers", "1"]
    log = [] if "--log" in options else ["--log", "none"]
    return Server(WEFT, "web", "--listen", "0", "--grace", "30s", *workers, *log, *options, root, **rest)


def echo(**rest):
    """examples/http_echo on a free port."""
    return Server(example("http_echo"), "tcp://127.0.0.1:0", **rest)


class Closed(Exception):
    """The connection ended in the middle of a response: `how` is "eof" or "reset", `partial` what came of it."""

    def __init__(self, how, partial=b""):
        super().__init__(f"connection ended ({how}) after {len(partial)} bytes: {partial[:80]!r}")
        self.how = how
        self.partial = partial


class Response:
    def __init__(self, status, fields, body):
        self.status = status
        self.fields = fields
        self.body = body

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def get(self, name):
        values = self.all(name)
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None

    def __repr__(self):
        return f"Response({self.status}, {self.fields}, {self.body[:80]!r})"


class Connection:
    """A TCP connection to a server of ours, with a reader for responses that knows no mercy."""

    def __init__(self, port, receive_buffer=None, timeout=PATIENCE):
        self.socket = socket.socket()
        self.socket.settimeout(timeout)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def send(self, data):
        self.socket.sendall(data)

    def send_until_refused(self, data):
        """Sends, and says whether the other end took it."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def _more(self, had=b""):
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            raise Closed("reset", had + self.buffer) from None
        except socket.timeout:
            raise AssertionError(f"nothing came within {PATIENCE} s, after {(had + self.buffer)[:200]!r}") from None
        if not data:
            raise Closed("eof", had + self.buffer)
        self.buffer += data

    def _until(self, end):
        while end not in self.buffer:
            self._more()
        line, self.buffer = self.buffer.split(end, 1)
        return line

    def _exactly(self, length):
        parts, have = [self.buffer], len(self.buffer)
        while have < length:
            self.buffer = b""
            try:
                self._more()
            except Closed as closed:
                raise Closed(closed.how, b"".join(parts)) from None
            parts.append(self.buffer)
            have += len(self.buffer)
        whole = b"".join(parts)
        self.buffer = whole[length:]
        return whole[:length]

    def _chunks(self):
        body = b""
        while True:
            size = self._until(b"\r\n")
            assert re.fullmatch(rb"[0-9A-Fa-f]+", size), size
            if int(size, 16) == 0:
                assert self._until(b"\r\n") == b""
                return body
            body += self._exactly(int(size, 16))
            assert self._exactly(2) == b"\r\n"

    def head(self):
        """The next response's status and fields."""
        lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d{3}) [ -~]*", lines[0])
        assert match, lines[0]
        fields = []
        for line in lines[1:]:
            field = re.fullmatch(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+): (\S.*\S|\S)", line)
            assert field, line
            fields.append((field[1], field[2]))
        return Response(int(match[1]), fields, b"")

    def body(self, response, method="GET"):
        lengths, codings = response.all("Content-Length"), response.all("Transfer-Encoding")
        assert len(lengths) + len(codings) <= 1, response
        if method == "HEAD" or response.status in (204, 304) or response.status < 200:
            return b""
        if codings:
            assert codings == ["chunked"], codings
            return self._chunks()
        if lengths:
            return self._exactly(int(lengths[0]))
        return self.rest()

    def response(self, method="GET", interim=False):
        """The next response; interim ones (1xx) are passed over unless they are asked for."""
        while True:
            response = self.head()
            response.body = self.body(response, method)
            if response.status >= 200 or interim:
                return response

    def rest(self):
        """Everything until the other end closes."""
        try:
            while True:
                self._more()
        except Closed as closed:
            self.buffer = b""
            if closed.how != "eof":
                raise
            return closed.partial

    def ended(self):
        """Waits until the other end closes: returns what came before, and "eof" or "reset"."""
        try:
            while True:
                self._more()
        except Closed as closed:
            self.buffer = b""
            return closed.partial, closed.how

    def silent(self):
        """Whether nothing has come and the connection is open, without waiting."""
        if self.buffer:
            return False
        self.socket.setblocking(False)
        try:
            self.buffer += self.socket.recv(1 << 16)
            return False
        except BlockingIOError:
            return True
        except ConnectionResetError:
            return False
        finally:
            self.socket.settimeout(PATIENCE)

    def request(self, method="GET", target="/", fields=(), body=b"", version="1.1"):
        head = [f"{method} {target} HTTP/{version}", *([] if version == "1.0" else ["Host: localhost"]),
                *(f"{name}: {value}" for name, value in fields)]
        if body:
            head.append(f"Content-Length: {len(body)}")
        self.send(("\r\n".join(head) + "\r\n\r\n").encode("latin-1") + body)
        return self.response(method)

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """Ends the connection as a crash would."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def fetch(port, target="/", method="GET", fields=(), **rest):
    """One request on a connection of its own."""
    with Connection(port) as connection:
        return connection.request(method, target, fields, **rest)


def rss(pid):
    """Resident bytes of a process."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cpu(pid):
    """Seconds of processor that a process has used."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def eventually(what, condition):
    """Waits until the condition holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.01)


class Probe:
    """A well-behaved client that asks for something small again and again while something bad goes on: every request
    on a connection of its own, every one answered, none kept waiting as long as `bound` seconds."""

    def __init__(self, port, target="/", bound=5.0):
        self.port, self.target, self.bound = port, target, bound
        self.count, self.slowest, self.failure = 0, 0.0, None
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self.over.is_set() and not self.failure:
            start = time.monotonic()
            try:
                response = fetch(self.port, self.target)
                assert response.status == 200, response
            except Exception as failure:
                self.failure = failure
            self.slowest = max(self.slowest, time.monotonic() - start)
            self.count += 1
            self.over.wait(0.02)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.over.set()
        self.thread.join(PATIENCE)
        if kind is None:
            assert not self.failure, f"a bystander was disturbed: {self.failure!r}"
            assert self.count > 0
            assert self.slowest < self.bound, f"a bystander waited {self.slowest:.1f} s"
            print(f"  bystander: {self.count} requests, the slowest took {self.slowest * 1000:.0f} ms")


def main(tests):
    """Runs the functions that are called test_…, or those whose names begin as the command line says, in the order of
    the file."""
    wanted = sys.argv[1:]
    functions = [(name, f) for name, f in tests.items() if name.startswith("test_")
                 and (not wanted or any(name[5:].startswith(word) for word in wanted))]
    failed = 0
    assert functions, "there is no such test"
    for name, function in functions:
        start = time.monotonic()
        try:
            function()
            print(f"ok    {name[5:]} ({time.monotonic() - start:.1f} s)", flush=True)
        except Exception:
            failed += 1
            traceback.print_exc(file=sys.stdout)
            print(f"FAIL  {name[5:]}", flush=True)
    print(f"{len(functions) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
