#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""https both ways: `weft web` with curl and openssl, `weft get` with openssl's server, Python's and our own."""
import functools
import http.server
import os
import re
import ssl
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peers  # noqa: E402  (its place is known only now)
from peers import kit  # noqa: E402

WORDS = b"what is fetched over TLS\n" * 5000


def weft_get(*words):
    return subprocess.run([kit.WEFT, "get", "-q", *words], capture_output=True, timeout=kit.PATIENCE, check=False)


def server_of_ours(folder):
    url = f"tls://127.0.0.1:0?cert={folder}/cert.pem&key={folder}/key.pem"
    process = subprocess.Popen([kit.WEFT, "web", "--listen", url, "--log", "none", "--workers", "1", folder],
                               stderr=subprocess.PIPE, text=True)
    found = re.search(r"listening on (https://127\.0\.0\.1:(\d+)/)", process.stderr.readline())
    assert found, "it does not say that it speaks https"
    return process, int(found[2])


def ours_with_clients_of_others(folder):
    process, port = server_of_ours(folder)
    url = f"https://localhost:{port}/words"
    for version in ("--tlsv1.2", "--tlsv1.3"):
        done = subprocess.run(["curl", "-sS", version, "--tls-max", version[-3:], "--cacert", f"{folder}/ca.pem", url, url],
                              capture_output=True, timeout=kit.PATIENCE, check=False)
        assert done.returncode == 0 and done.stdout == 2 * WORDS, (version, done.stderr)
    done = weft_get("--cacert", f"{folder}/ca.pem", url, url)
    assert done.returncode == 0 and done.stdout == 2 * WORDS, done.stderr
    done = weft_get(url)
    assert done.returncode == 60 and b"localhost" in done.stderr and not done.stdout, done.stderr
    done = weft_get("--dangerously-trust-anybody", f"https://127.0.0.1:{port}/words")
    assert done.returncode == 0 and done.stdout == WORDS, done.stderr
    peers.stop(process)
    process.stderr.close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def servers_of_python(folder):
    """One whose certificate is for localhost, and is asked for by that name and by another."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        done = weft_get("--cacert", f"{folder}/ca.pem", f"https://localhost:{port}/words")
        assert done.returncode == 0 and done.stdout == WORDS, done.stderr
        done = weft_get("--cacert", f"{folder}/ca.pem", "--through", f"tcp://127.0.0.1:{port}", "https://other.example/words")
        assert done.returncode == 60 and b"other.example" in done.stderr, done.stderr
        server.shutdown()


def a_server_that_speaks_no_tls(folder):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = weft_get(f"https://localhost:{server.server_address[1]}/words")
        assert done.returncode == 35 and not done.stdout, (done.returncode, done.stderr)
        server.shutdown()


def main():
    kit.need("openssl", "curl")
    with kit.folder() as folder:
        peers.make_credentials(folder)
        with open(os.path.join(folder, "words"), "wb") as file:
            file.write(WORDS)
        for case in (ours_with_clients_of_others, servers_of_python, a_server_that_speaks_no_tls):
            case(folder)
            print("ok   ", case.__name__, flush=True)


if __name__ == "__main__":
    main()
