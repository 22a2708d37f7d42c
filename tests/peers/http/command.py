#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The program `weft` as a person or a shell uses it: what it prints, where, and its exit status; the manual pages and
the completion that are built with it."""
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import kit


def weft(*arguments, status=0, **rest):
    """What it prints on standard output and on standard error."""
    done = subprocess.run([kit.WEFT, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE,
                          timeout=kit.PATIENCE, **rest)
    assert done.returncode == status, (arguments, done.returncode, done.stderr)
    return done.stdout.decode(), done.stderr.decode()


def test_version_and_help():
    with open(os.path.join(kit.BUILD, "CMakeCache.txt"), encoding="utf-8") as cache:
        version = re.search(r"^CMAKE_PROJECT_VERSION:STATIC=(.*)$", cache.read(), re.M)[1]
    assert weft("--version") == (f"weft {version}\n", "") and weft("-V")[0] == f"weft {version}\n"
    for ask in [["--help"], ["-h"], ["help"]]:
        out, errors = weft(*ask)
        assert out.startswith("Usage: weft COMMAND") and "web" in out and not errors
    out, errors = weft("web", "--help")
    assert out.startswith("Usage: weft web [OPTION]... [DIR]") and not errors
    assert weft("help", "web")[0] == out and weft("web", "-h")[0] == out
    for width in ["40", "72", "200", "nonsense", "0"]:
        text = weft("web", "--help", env={**os.environ, "COLUMNS": width})[0]
        assert width not in ("72", "200") or max(map(len, text.splitlines())) <= int(width), width
    out, errors = weft(status=2)
    assert not out and errors.startswith("Usage: weft COMMAND")


def test_wrong_use_gets_one_helpful_line_and_2():
    for arguments, pattern in [
            (["wbe"], "did you mean 'weft web'"), (["nothing-like-it"], "weft --help"), (["--verison"], "weft --help"),
            (["web", "--lsten", "80"], "did you mean '--listen'"), (["web", "--zzzzzz"], "weft web --help"),
            (["web", "-Z"], "unknown option '-Z'"),
                               (["web", "--workers", "0"], "--workers takes a whole number from 1"),
            (["web", "--workers", "many"], "not 'many'"), (["web", "--workers"], "--workers"),
            (["web", "--log", "xml"], "common"), (["web", "--no-listing=yes"], "--no-listing"),
            (["web", "--max-body", "12x"], "--max-body"), (["web", "--grace", "-1s"], "--grace"),
            (["web", "--grace", "0"], "--grace"), (["web", "one", "two"], "'two'"),
            (["web", "--listen", "99999"], "99999"), (["web", "--\x1b[2J"], "unknown option")]:
        out, errors = weft(*arguments, status=2)
        assert not out and errors.count("\n") == 1 and errors.endswith("\n"), (arguments, errors)
        assert errors.startswith("weft") and pattern in errors, (arguments, errors)
        assert not re.search(r"[^\n -~]", errors), errors


def test_a_bad_address_is_pointed_at():
    for url, at in [("tcp://127.0.0.1:x", "x"), ("tcp://127.0.0.1", None), ("http://127.0.0.1:80", None),
                    ("tcp://[::1:80", None)]:
        errors = weft("web", "--listen", url, status=2)[1]
        if at:
            said, shown, mark = errors.splitlines()
            assert said.startswith("weft web: ") and shown.strip() == url and shown[mark.index("^")] == at, errors


def test_what_cannot_be_served_is_an_error():
    with kit.folder() as root:
        path = os.fsdecode(kit.write(root, "file", b""))
        for folder, why in [(os.path.join(root, "missing"), "No such file or directory"), (path, "Not a directory")]:
            out, errors = weft("web", "-l", "0", folder, status=1)
            assert not out and errors == f"weft web: cannot serve {folder}: {why}\n", errors
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            for workers in ["1", "2"]:
                out, errors = weft("web", "-w", workers, "-l", str(port), root, status=1)
                wanted = f"weft web: cannot listen on tcp://127.0.0.1:{port}: Address already in use\n"
                assert not out and errors == wanted, errors
            errors = weft("web", "-l", "0", "-l", str(port), root, status=1)[1]
            assert "listening" not in errors
        assert "cannot listen" in weft("web", "-l", f"unix://{root}/no/folder/sock", root, status=1)[1]
    assert "cannot write" in subprocess.run(f"{kit.WEFT} --help >/dev/full", shell=True, stderr=subprocess.PIPE,
                                            text=True).stderr


def test_addresses():
    with kit.folder() as root:
        kit.write(root, "file", b"here\n")
        options = ["-l", "0", "-l", "127.0.0.1:0", "-l", f"unix://{root}/sock", "-l", ":0"]
        with kit.Server(kit.WEFT, "web", "-w", "2", "--log", "none", *options, root, listeners=4) as server:
            for url in server.urls:
                match = re.search(r":(\d+)/$", url)
                if match:
                    assert int(match[1]) != 0 and kit.fetch(int(match[1]), "/file").body == b"here\n", url
            assert "unix" in server.urls[2] and server.urls[2].rstrip("/").endswith("sock"), server.urls
        with kit.Server(kit.WEFT, "web", "-l", f"unix://{root}/sock", root) as server:
            pass  # the socket that the one before left is no obstacle


def test_a_port_that_another_one_shares_is_in_use():
    with kit.folder() as root, kit.web(root, "-w", "2") as server:
        out, errors = weft("web", "-w", "2", "-l", str(server.port), root, status=1)
        wanted = f"weft web: cannot listen on tcp://127.0.0.1:{server.port}: Address already in use\n"
        assert not out and errors == wanted, errors


def test_a_log_that_would_go_into_the_answers_is_refused():
    with kit.folder() as root:
        for url in ["stdio:", "STDIO:", "fd://1"]:
            out, errors = weft("web", "-l", url, root, status=2)
            assert not out and errors.count("\n") == 1 and "--log none" in errors, (url, errors)
        kit.write(root, "file", b"here\n")
        done = subprocess.run([kit.WEFT, "web", "-l", "stdio:", "--log", "none", root], stdout=subprocess.PIPE,
                              input=b"GET /file HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                              stderr=subprocess.PIPE, timeout=kit.PATIENCE)
        assert done.returncode == 0 and done.stdout.startswith(b"HTTP/1.1 200 "), done
        assert done.stdout.endswith(b"\r\n\r\nhere\n"), done


def listeners(port):
    """How many sockets listen there."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        return sum(row.split()[1].endswith(f":{port:04X}") and row.split()[3] == "0A" for row in table)


def test_the_scheme_is_of_any_case():
    with kit.folder() as root:
        kit.write(root, "file", b"here\n")
        with kit.Server(kit.WEFT, "web", "-w", "2", "--log", "none", "-l", "TCP://127.0.0.1:0", root) as server:
            assert listeners(server.port) == 2
            for _ in range(10):
                assert kit.fetch(server.port, "/file").body == b"here\n"


def test_an_inherited_descriptor():
    with kit.folder() as root, socket.socket() as listening:
        kit.write(root, "file", b"here\n")
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port, number = listening.getsockname()[1], listening.fileno()
        done = subprocess.Popen([kit.WEFT, "web", "-w", "2", "-l", f"fd://{number}", "--log", "none", root],
                                pass_fds=[number],
                                stderr=subprocess.PIPE)
        try:
            assert f":{port}/".encode() in done.stderr.readline()
            assert kit.fetch(port, "/file").body == b"here\n"
            done.send_signal(signal.SIGTERM)
            assert done.wait(kit.PATIENCE) == 0
        finally:
            done.kill()
            done.wait()
            done.stderr.close()


def test_the_log_and_the_notices_go_where_they_belong():
    with kit.folder() as root:
        kit.write(root, "file", b"here\n")
        with kit.Server(kit.WEFT, "web", "-w", "1", "-l", "0", "--quiet", root) as server:
            for target in ["/file", "/missing"]:
                kit.fetch(server.port, target)
            server.signal()
            assert server.wait() == 0
            lines = server.log().decode().splitlines()
            assert len(lines) == 2 and '"GET /file HTTP/1.1" 200 5' in lines[0]
            assert '"GET /missing HTTP/1.1" 404' in lines[1]
            assert len(server.lines) == 1, server.lines
        reads, writes = os.pipe()
        os.close(reads)
        with kit.Server(kit.WEFT, "web", "-w", "1", "-l", "0", root, stdout=writes, status=1) as server:
            os.close(writes)
            for _ in range(2):  # nobody reads the log: it serves all the same
                for _ in range(50):
                    assert kit.fetch(server.port, "/file").status == 200
                time.sleep(0.2)


def test_manual_pages():
    for page in ["weft.1", "weft-web.1", "weft-help.1"]:
        path = os.path.join(kit.BUILD, "man", page)
        with open(path, encoding="utf-8") as file:
            assert ".Sh NAME" in file.read(), page
        if shutil.which("mandoc"):
            done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
            assert done.returncode == 0 and not done.stdout, done.stdout
    options = set(re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", weft("web", "--help")[0], re.M))
    with open(os.path.join(kit.BUILD, "man", "weft-web.1"), encoding="utf-8") as file:
        text = file.read().replace("\\-", "-")
    assert len(options) > 15
    for option in options:
        assert option[2:] in text, option


def complete(*words):
    """What the shell would offer for the last word."""
    script = ('lib=/usr/share/bash-completion/bash_completion; [ -r $lib ] && . $lib; . "$1"; shift; '
              'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; _weft; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "--norc", "-c", script, "bash", os.path.join(kit.BUILD, "completions", "weft"),
                           *words],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=kit.PATIENCE, text=True)
    assert not done.stderr, done.stderr
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def test_completion():
    assert complete("weft", "") == ["web", "get", "cert", "sim", "help", "--help", "--version"] and complete("weft", "w") == ["web"]
    options = complete("weft", "web", "--")
    assert {"--listen", "--index", "--log", "--no-listing"} <= set(options)
    helped = set(re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", weft("web", "--help")[0], re.M))
    assert helped == set(options), helped ^ set(options)
    assert complete("weft", "web", "--no-l") == ["--no-listing"]
    assert complete("weft", "web", "--log", "") == ["common", "json", "none"]
    assert complete("weft", "web", "--log", "j") == ["json"]
    assert complete("weft", "web", "--log", "=", "j") == ["json"]
    assert "web" in complete("weft", "help", "")


kit.need("bash")
kit.main(globals())
