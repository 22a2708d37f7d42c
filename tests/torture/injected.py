# SPDX-License-Identifier: MIT
"""EL-19 on whole programs, independent of our own counters: strace makes the k-th call of a kind fail with an error that
it can really give, for each k that the undisturbed program comes to.

usage: injected.py web|get [--all]      (without --all: a fixed sample)

`weft web` is asked by somebody who stays connected and twice by curl. It ends with an error that it says, or goes on,
and then the fault is noticed on one connection at most. `weft get` fetches from Python's http.server: it has the file,
or says why not. Neither crashes or hangs."""
import http.server
import os
import re
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "peers", "http"))
import kit  # noqa: E402

SAMPLE = 5  # every so manieth point without --all
BOUND = 20   # seconds for a conversation; only a hang takes so long

# What a call really gives, and does not mend by itself. Not here: close (strace leaves the descriptor open, the kernel
# never does), EAGAIN where epoll has said otherwise, and write of the server, which tells us by it where it listens.
ERRORS = {
    "socket": ["EMFILE", "ENOBUFS"],
    "bind": ["EADDRINUSE", "EACCES"],
    "listen": ["EADDRINUSE"],
    "connect": ["ECONNREFUSED", "ENETUNREACH", "EADDRNOTAVAIL"],
    "accept4": ["EMFILE", "ENOBUFS", "ECONNABORTED", "EPROTO", "EINTR"],
    "epoll_create1": ["EMFILE", "ENOMEM"],
    "epoll_ctl": ["ENOSPC", "ENOMEM"],
    "epoll_wait": ["EINTR"],
    "eventfd2": ["EMFILE"],
    "signalfd4": ["EMFILE"],
    "getsockname": ["ENOBUFS"],
    "getsockopt": ["ENOBUFS"],
    "setsockopt": ["EPERM", "ENOBUFS"],
    "shutdown": ["ENOTCONN"],
    "recvfrom": ["EINTR", "ECONNRESET", "ENOMEM"],
    "sendto": ["EINTR", "EPIPE", "ENOBUFS"],
    "sendmsg": ["EINTR", "EPIPE", "ENOBUFS"],
    "sendfile": ["EINTR", "ECONNRESET", "EIO"],
    "openat": ["EMFILE", "ENOENT", "EACCES", "EIO"],
    "openat2": ["EMFILE", "ENOENT", "EIO", "EINTR", "EAGAIN", "ENOSYS"],
    "newfstatat": ["EIO", "ENOMEM"],
    "fstat": ["EIO", "ENOMEM"],
    "statfs": ["EIO"],
    "fstatfs": ["EIO"],
    "getdents64": ["EIO"],
    "pread64": ["EIO", "EINTR"],
    "preadv2": ["EIO", "EAGAIN", "EOPNOTSUPP"],
    "read": ["EINTR", "EIO"],
    "getrandom": ["ENOSYS", "EINTR"],
    "clone3": ["EAGAIN"],
    "mmap": ["ENOMEM"],
    "mprotect": ["ENOMEM"],
    "madvise": ["EINVAL"],
    "prlimit64": ["EPERM"],
}
OF_FILE = {"openat2": ["EACCES", "ENOSPC", "EMFILE"], "newfstatat": ["EIO"], "pwrite64": ["ENOSPC", "EIO", "EINTR"],
           "utimensat": ["EIO"]}
CALL = re.compile(r"^(\d+)\s+(\w+)\((.*)")


def traced(log, calls, about=None):
    """about: a file, if only calls that concern it are looked at: by its path, or by its name in a folder."""
    only = ["-P", about, "-P", os.path.basename(about)] if about else []
    return ["strace", "-D", "-f", "-qq", "-o", log, *only, "-e", "trace=" + ",".join("?" + call for call in calls)]


def injected(call, error, number, about):
    return [*traced("/dev/null", [call], about), "-e", f"inject={call}:error={error}:when={number}"]


def can_fail(call, texts):
    """What epoll changes or forgets it knows already: only ADD can fail. The memory of the loader, without which there
    is no program yet, and of malloc, which the other torture lets fail, is not ours to ask for; that of stacks is."""
    needed = {"epoll_ctl": "EPOLL_CTL_ADD", "mmap": "MAP_NORESERVE"}.get(call, "")
    return all(needed in text for text in texts)


def points(log, errors):
    """(call, error, k) for all that the program did. strace counts for each thread by itself."""
    made = {}
    with open(log, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            match = CALL.match(line)
            if match:
                made.setdefault(match[2], {}).setdefault(match[1], []).append(match[3])
    found = []
    for call in sorted(made):
        for number in range(max(map(len, made[call].values()))):
            texts = [calls[number] for calls in made[call].values() if len(calls) > number]
            if can_fail(call, texts):
                found += [(call, error, number + 1) for error in errors[call]]
    return found


def check_end(status, text):
    assert 0 <= status < 128, f"it crashed: status {status}, {text}"
    assert status == 0 or text.strip(), f"status {status}, without a word"


# -- the server --

def curl(port):
    """Whether it had an answer. One that never comes is a hang."""
    done = subprocess.run(["curl", "-sS", "-m", str(BOUND), "-o", "/dev/null", "-w", "%{http_code}",
                           f"http://127.0.0.1:{port}/"], capture_output=True, text=True, check=False)
    assert done.returncode != 28, "a request has hung"
    return done.returncode == 0 and done.stdout == "200"


def again(connection):
    try:
        return connection.request("GET", "/small").status == 200
    except (kit.Closed, ConnectionError, BrokenPipeError):
        return False


def converse(port):
    """On how many of three connections something went wrong."""
    with kit.Connection(port, timeout=BOUND) as stays:
        good = again(stays)
        first = curl(port)
        good = good and again(stays)
        second = curl(port)
        return [good, first, second].count(False)


def serve(root, wrap):
    """One run. Returns whether it has gone on."""
    process = subprocess.Popen([*wrap, kit.WEFT, "web", "--listen", "0", "--workers", "1", "--log", "none", root],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    killer = threading.Timer(3 * BOUND, process.kill)
    killer.start()
    try:
        lines = []
        for line in process.stderr:
            lines.append(line)
            match = kit.LISTENING.search(line)
            if match:
                break
        else:
            status = process.wait()
            check_end(status, "".join(lines))
            assert status != 0, "it ended without having served"
            return False
        noticed = converse(int(re.search(r":(\d+)/?$", match[1])[1]))
        assert noticed <= 1, f"{noticed} connections have noticed it"
        process.terminate()
        lines.append(process.stderr.read())
        status = process.wait()
        check_end(status, "".join(lines))
        return status == 0
    finally:
        killer.cancel()
        process.kill()
        process.wait()
        process.stderr.close()


# -- the client --

class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except ConnectionError:
            pass  # the client's fault


def get(port, root, wrap):
    """One run. Returns whether it got the file."""
    target = os.path.join(root, "got")
    if os.path.exists(target):
        os.unlink(target)
    done = subprocess.run([*wrap, kit.WEFT, "get", "-o", target, f"http://localhost:{port}/large"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=3 * BOUND, check=False)
    check_end(done.returncode, done.stderr)
    if done.returncode == 0:
        with open(target, "rb") as got, open(os.path.join(root, "large"), "rb") as large:
            assert got.read() == large.read(), "what it got is not what was there"
    return done.returncode == 0


# -- all --

def torture(name, errors, run, sample, about=None):
    with tempfile.TemporaryDirectory(prefix="torture-", dir=kit.BUILD) as place:
        log = os.path.join(place, "log")
        assert run(traced(log, errors, about)), "it does not even work undisturbed"
        every = points(log, errors)
    chosen = every[::sample]
    went_on = 0
    problems = []
    for call, error, number in chosen:
        try:
            went_on += run(injected(call, error, number, about))
        except (AssertionError, subprocess.TimeoutExpired, OSError) as problem:
            problems.append(f"{name}: {call} number {number} fails with {error}: {problem}")
            print(problems[-1], flush=True)
    print(f"{name}: {len(chosen)} of {len(every)} points, {len(chosen) - len(problems)} survived: it went on {went_on} "
          f"times, and ended with an error {len(chosen) - len(problems) - went_on} times")
    return not problems and len(chosen) > 0


def main():
    what, sample = sys.argv[1], 1 if "--all" in sys.argv else SAMPLE
    kit.need("strace", "curl")
    if kit.sanitized():
        kit.skip("the sanitizers do not like to be traced")
    with kit.folder() as root:
        kit.write(root, "small", b"small\n")
        kit.write(root, "large", os.urandom(300_000))
        if what == "web":
            good = torture("weft web", ERRORS, lambda wrap: serve(root, wrap), sample)
        else:
            handler = lambda *rest: Quiet(*rest, directory=root)  # noqa: E731
            with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
                threading.Thread(target=server.serve_forever, daemon=True).start()
                port = server.server_address[1]
                run = lambda wrap: get(port, root, wrap)  # noqa: E731
                good = torture("weft get", ERRORS, run, sample)
                good = torture("weft get, its file", OF_FILE, run, min(sample, 4), os.path.join(root, "got")) and good
                server.shutdown()
    return 0 if good else 1


sys.exit(main())
