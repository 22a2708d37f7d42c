#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""TLS in both directions with OpenSSL's and GnuTLS' tools, and with Python's client."""
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
import kit  # noqa: E402  (its place is known only now)

CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def make_credentials(folder):
    """ca.pem; cert.pem and key.pem for localhost."""
    def at(name):
        return os.path.join(folder, name)

    openssl("req", "-x509", *CURVE, "-keyout", at("ca.key"), "-out", at("ca.pem"), "-days", "2", "-subj", "/CN=A test",
            "-addext", "keyUsage=critical,keyCertSign")
    openssl("req", *CURVE, "-keyout", at("key.pem"), "-out", at("csr.pem"), "-subj", "/CN=localhost")
    with open(at("extensions"), "w", encoding="ascii") as file:
        file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
    openssl("x509", "-req", "-in", at("csr.pem"), "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial",
            "-days", "2", "-extfile", at("extensions"), "-out", at("cert.pem"))


def our_server(folder):
    url = f"tls://127.0.0.1:0?cert={folder}/cert.pem&key={folder}/key.pem"
    process = subprocess.Popen([kit.example("echo"), url], stderr=subprocess.PIPE, text=True)
    found = kit.LISTENING.search(process.stderr.readline())
    assert found, "it does not say where it listens"
    return process, int(found.group(1).rsplit(":", 1)[1])


def stop(process):
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=kit.PATIENCE)


def converse(command, words):
    """Writes a line to a client's input, and reads its output until the line is there; then ends its input."""
    client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    client.stdin.write(words + "\n")
    client.stdin.flush()
    seen = []
    for line in client.stdout:
        seen.append(line)
        if line.strip() == words:
            break
    client.stdin.close()
    client.kill()
    client.wait(timeout=kit.PATIENCE)
    client.stdout.close()
    assert seen and seen[-1].strip() == words, "".join(seen)


def clients_of_others(folder):
    process, port = our_server(folder)
    for version in ("-tls1_2", "-tls1_3"):
        converse(["openssl", "s_client", version, "-quiet", "-verify_return_error", "-verify_hostname", "localhost",
                  "-CAfile", f"{folder}/ca.pem", "-connect", f"127.0.0.1:{port}", "-servername", "localhost"],
                 "good morning " + version)
    if shutil.which("gnutls-cli"):
        converse(["gnutls-cli", f"--x509cafile={folder}/ca.pem", "-p", str(port), "localhost"], "good evening")
    context = ssl.create_default_context(cafile=f"{folder}/ca.pem")
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost") as stream:
        blob = os.urandom(200000)
        stream.sendall(blob)
        got = b""
        while len(got) < len(blob):
            got += stream.recv(65536)
        assert got == blob
        stream.unwrap()  # fails unless a close_notify answers
    stop(process)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for(port):
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            select_a_moment()
    raise AssertionError("nobody listens")


def select_a_moment():
    import select
    select.select([], [], [], 0.1)


def ask(port, folder, name="localhost"):
    return subprocess.run([kit.example("ask"), f"tls://127.0.0.1:{port}?ca={folder}/ca.pem&name={name}", "a question"],
                          capture_output=True, text=True, timeout=kit.PATIENCE)


def servers_of_others(folder):
    servers = {}
    for version in ("-tls1_2", "-tls1_3"):
        servers["openssl " + version] = lambda port, version=version: [
            "openssl", "s_server", version, "-rev", "-quiet", "-cert", f"{folder}/cert.pem", "-key",
            f"{folder}/key.pem", "-accept", f"127.0.0.1:{port}"]
    if shutil.which("gnutls-serv"):
        servers["gnutls"] = lambda port: ["gnutls-serv", "--echo", "--x509certfile", f"{folder}/cert.pem", "--x509keyfile",
                                          f"{folder}/key.pem", "-p", str(port)]
    for name, command in servers.items():
        port = free_port()
        process = subprocess.Popen(command(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   stdin=subprocess.DEVNULL)
        try:
            wait_for(port)
            answer = ask(port, folder)
            assert answer.stdout.strip() in ("a question", "noitseuq a"), (name, answer)
            refused = ask(port, folder, "another.example")
            assert "WEFT_ETLSNAME" in refused.stderr, (name, refused)
        finally:
            process.kill()
            process.wait()


def main():
    if not shutil.which("openssl"):
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        make_credentials(folder)
        clients_of_others(folder)
        servers_of_others(folder)
    print("TLS with others: good")


if __name__ == "__main__":
    main()
