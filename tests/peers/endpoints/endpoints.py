#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: endpoints.py proxy | socks | systemd | unix

Endpoints against programs that we did not write: HAProxy and curl for PROXY headers, microsocks, socat and tinyproxy,
systemd-socket-activate, and socat on UNIX sockets."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
import kit  # noqa: E402  (its place is known only now)

os.environ["PATH"] += ":/usr/sbin:/lib/systemd"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Peer:
    """A program that listens at a port, which it is waited for, and is ended by its id."""

    def __init__(self, port, *command):
        self.output = open(os.path.join(kit.BUILD, f"peer-{port}.log"), "w+b")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output)
        while port:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=kit.PATIENCE).close()
                break
            except OSError:
                assert self.process.poll() is None, f"{command} ended: {self.text()}"

    def text(self):
        self.output.seek(0)
        return self.output.read().decode(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(kit.PATIENCE)
        self.output.close()
        os.unlink(self.output.name)


def call(url, text=None, status=0):
    """What examples/call is told there; or what it says, if it is to fail."""
    done = subprocess.run([kit.example("call"), url] + ([text] if text else []), capture_output=True, text=True,
                          timeout=kit.PATIENCE, check=False)
    assert not kit.SANITIZER.search(done.stderr), done.stderr
    assert (done.returncode == 0) == (status == 0), (url, done)
    return done.stdout if status == 0 else done.stderr


def ask(port):
    with socket.create_connection(("127.0.0.1", port), timeout=kit.PATIENCE) as connection:
        got = b""
        while more := connection.recv(4096):
            got += more
        return got.decode(), connection.getsockname()[1]


def haproxy(folder, *sections):
    path = os.path.join(folder, "haproxy.cfg")
    with open(path, "w", encoding="ascii") as file:
        file.write("defaults\n  mode tcp\n  timeout connect 10s\n  timeout client 10s\n  timeout server 10s\n")
        file.write("\n".join(sections) + "\n")
    return ["haproxy", "-db", "-f", path]


def proxy():
    """PROXY headers from HAProxy and curl are believed; HAProxy believes ours."""
    kit.need("haproxy")
    sends = {"v1": "send-proxy", "v2": "send-proxy-v2 proxy-v2-options crc32c,unique-id"}
    with kit.folder() as folder, kit.Server(kit.example("whoami"), "proxy+tcp://127.0.0.1:0?from=127.0.0.1") as server:
        for version, option in sends.items():
            port = free_port()
            unique = "  unique-id-format %[uuid()]\n" if version == "v2" else ""
            config = f"frontend in\n  bind 127.0.0.1:{port}\n{unique}  default_backend out\nbackend out\n" \
                     f"  server s 127.0.0.1:{server.port} {option}\n"
            with Peer(port, *haproxy(folder, config)):
                text, own = ask(port)
                assert text.startswith(f"you are 127.0.0.1:{own} by 127.0.0.1:"), text
                assert text.endswith(f"header {version[1]}\n"), text
        with socket.create_connection(("127.0.0.1", server.port), timeout=kit.PATIENCE) as stranger:
            stranger.sendall(b"GET / HTTP/1.0\r\n\r\n")
            try:
                assert stranger.recv(1) == b""
            except ConnectionResetError:
                pass
    with kit.folder() as folder, kit.Server(kit.example("whoami"), "proxy+tcp://127.0.0.1:0?from=127.0.0.1") as server:
        port = free_port()
        config = f"listen in\n  bind 127.0.0.1:{port} accept-proxy\n  server s 127.0.0.1:{server.port} send-proxy-v2\n"
        with Peer(None, *haproxy(folder, config)):
            wait_for(port)
            for version in "1", "2":
                text = call(f"proxy+tcp://127.0.0.1:{port}?version={version}")
                assert re.fullmatch(r"you are 127\.0\.0\.1:\d+ by 127\.0\.0\.1:\d+, header 2\n", text), text
                claimed, direct = re.findall(r":(\d+)", text)
                assert claimed != direct
    print("haproxy sends v1 and v2, and receives them")
    if "--haproxy-protocol" in subprocess.run(["curl", "--help", "all"], capture_output=True, text=True).stdout:
        curl_proxy()


def wait_for(port):
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=kit.PATIENCE).close()
            return
        except ConnectionRefusedError:
            pass


def curl_proxy():
    with kit.folder() as root:
        kit.write(root, "a", b"hello")
        with kit.Server(kit.WEFT, "web", "--listen", "proxy+tcp://127.0.0.1:0?from=127.0.0.0/8", "--workers", "1", "--log",
                        "none", root) as server:
            got = subprocess.run(["curl", "-s", "--haproxy-protocol", f"http://127.0.0.1:{server.port}/a"],
                                 capture_output=True, timeout=kit.PATIENCE, check=True).stdout
            assert got == b"hello", got
    print("curl sends one, too")


def socks():
    """Through microsocks by SOCKS 5, through tinyproxy by CONNECT."""
    with kit.Server(kit.example("whoami"), "tcp://127.0.0.1:0") as server:
        target = f"localhost:{server.port}"  # (it speaks first: microsocks knows no half-close)
        if shutil.which("microsocks"):
            through_microsocks(server, target)
        if shutil.which("tinyproxy"):
            through_tinyproxy(server, target)
    if not shutil.which("microsocks") and not shutil.which("tinyproxy"):
        kit.skip("neither microsocks nor tinyproxy is installed")


def through_microsocks(server, target):
    port = free_port()
    with Peer(port, "microsocks", "-i", "127.0.0.1", "-p", str(port)):
        assert call(f"socks5://127.0.0.1:{port}/{target}").startswith("you are 127.0.0.1:")
        assert call(f"socks5h://127.0.0.1:{port}/127.0.0.1:{server.port}").startswith("you are 127.0.0.1:")
        said = call(f"socks5://127.0.0.1:{port}/127.0.0.1:{free_port()}", status=1)
        assert "REFUSED" in said, said
    port = free_port()
    with Peer(port, "microsocks", "-i", "127.0.0.1", "-p", str(port), "-u", "me", "-P", "p@ss:/"):
        assert call(f"socks5://me:p%40ss%3A%2F@127.0.0.1:{port}/{target}").startswith("you are 127.0.0.1:")
        assert "EPROXYAUTH" in call(f"socks5://me:wrong@127.0.0.1:{port}/{target}", status=1)
        assert "EPROXYAUTH" in call(f"socks5://127.0.0.1:{port}/{target}", status=1)
    print("microsocks: names, addresses, refusals, passwords")


def through_tinyproxy(server, target):
    port = free_port()
    with kit.folder() as folder:
        path = os.path.join(folder, "tinyproxy.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 10\nAllow 127.0.0.1\n"
                       f"ConnectPort {server.port}\nBasicAuth me secret\n")
        with Peer(port, "tinyproxy", "-d", "-c", path):
            assert call(f"http-connect://me:secret@127.0.0.1:{port}/{target}").startswith("you are 127.0.0.1:")
            assert "EPROXYAUTH" in call(f"http-connect://127.0.0.1:{port}/{target}", status=1)
            said = call(f"http-connect://me:secret@127.0.0.1:{port}/127.0.0.1:{free_port()}", status=1)
            assert "EACCES" in said or "EPROXY" in said, said
    print("tinyproxy: CONNECT with Basic, refusals")


def systemd():
    """A socket that systemd-socket-activate opens, by its name; the variables are gone for children."""
    kit.need("systemd-socket-activate")
    port = free_port()
    command = ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", "--fdname=web", kit.example("whoami"), "systemd://web"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(process.stderr), daemon=True)
    reader.start()
    try:
        while True:
            try:
                text, own = ask(port)
                break
            except ConnectionRefusedError:
                assert process.poll() is None, lines
        assert text == f"you are 127.0.0.1:{own} by 127.0.0.1:{own}, header 0\n", text
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(kit.PATIENCE)
        reader.join(kit.PATIENCE)
        process.stderr.close()
    assert status == 0, (status, lines)
    assert any(f"listening on tcp://127.0.0.1:{port}" in line for line in lines), lines
    print("systemd-socket-activate passes a socket by name")


def unix():
    """socat on a path with a byte that has to be escaped, and on an abstract name."""
    kit.need("socat")
    with kit.folder() as folder:
        path = os.path.join(folder, "a ?b")
        with kit.Server(kit.example("echo"), f"unix://{folder}/a%20%3Fb?mode=600") as server:
            assert server.url == f"unix://{folder}/a%20%3Fb", server.url
            assert os.stat(path).st_mode & 0o777 == 0o600
            done = subprocess.run(["socat", "-", f"UNIX-CONNECT:{path}"], input=b"hello", capture_output=True,
                                  timeout=kit.PATIENCE, check=True)
            assert done.stdout == b"hello", done
        name = f"weft-peers-{os.getpid()}"
        with kit.Server(kit.example("echo"), f"unix://@{name}"):
            done = subprocess.run(["socat", "-", f"ABSTRACT-CONNECT:{name}"], input=b"hello", capture_output=True,
                                  timeout=kit.PATIENCE, check=True)
            assert done.stdout == b"hello", done
    print("socat speaks on a path and on an abstract name")


if __name__ == "__main__":
    {"proxy": proxy, "socks": socks, "systemd": systemd, "unix": unix}[sys.argv[1]]()
