# SPDX-License-Identifier: MIT
"""usage: client_servers.py nginx|python|node|caddy|weft

`weft get` against servers that we did not write (and against ours): keep-alive, chunks, ranges, gzip, resumption,
uploads and downloads of many megabytes, compared by digest."""
import hashlib
import http.server
import os
import random
import socket
import subprocess
import sys
import threading
import time

import kit

BIG = 64 << 20


def weft(*arguments, status=0, data=None):
    got = subprocess.run([kit.WEFT, "get", "-q", *arguments], capture_output=True, timeout=kit.PATIENCE * 2, input=data,
                         check=False)
    assert not kit.SANITIZER.search(got.stderr.decode("utf-8", "replace")), got.stderr
    assert got.returncode == status, (arguments, got.returncode, got.stderr)
    assert bool(got.stderr) == bool(status), got.stderr
    return got.stdout


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port):
    end = time.monotonic() + kit.PATIENCE
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server does not listen")


class Process:
    def __init__(self, command, port, **more):
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
        wait_for(port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(kit.PATIENCE)


NGINX = """
{user}
worker_processes 1; daemon off; pid {root}/nginx.pid; error_log {root}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log {root}/access.log; client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3;
  uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5; client_max_body_size 200m; default_type text/plain;
  log_format c '$connection'; access_log {root}/connections.log c;
  gzip on; gzip_min_length 1; gzip_types *;
  server {{ listen 127.0.0.1:{port}; root {root}/files;
    location /away {{ return 301 /small.txt; }}
    location /secret {{ auth_basic x; auth_basic_user_file {root}/users; alias {root}/files/; }}
    location /put/ {{ dav_methods PUT; create_full_put_path on; root {root}/files; }} }}
}}
"""

CADDY = """
{{
  admin off
  auto_https off
}}
http://127.0.0.1:{port} {{
  root * {root}/files
  encode gzip
  redir /away /small.txt
  file_server
}}
"""

NODE = """
const http = require('http'), fs = require('fs'), crypto = require('crypto'), zlib = require('zlib');
const root = process.argv[2];
http.createServer((request, response) => {
  const path = request.url.split('?')[0];
  if (request.method === 'PUT' || request.method === 'POST') {
    const hash = crypto.createHash('sha256'); let length = 0;
    request.on('data', (part) => { hash.update(part); length += part.length; });
    request.on('end', () => response.end(JSON.stringify({ sha256: hash.digest('hex'), length,
      type: request.headers['content-type'], coding: request.headers['transfer-encoding'] })));
    return;
  }
  if (path === '/away') { response.writeHead(302, { Location: '/small.txt' }); response.end(); return; }
  let body = fs.createReadStream(root + path);
  body.on('error', () => { response.writeHead(404); response.end('no'); });
  body.on('open', () => {
    if (/gzip/.test(request.headers['accept-encoding'])) {
      response.writeHead(200, { 'Content-Encoding': 'gzip' }); body.pipe(zlib.createGzip()).pipe(response);
    } else { response.writeHead(200); body.pipe(response); }
  });
}).listen(Number(process.argv[3]), '127.0.0.1');
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    connections = 0

    def setup(self):
        Quiet.connections += 1
        super().setup()

    def log_message(self, *_):
        pass


def check_downloads(url, files):
    for name, data in files.items():
        assert weft(f"{url}/{name}") == data, name
        assert weft("--compressed", f"{url}/{name}") == data, name
    digest = hashlib.sha256(files["big.bin"]).hexdigest()
    weft("--check", "sha256=" + digest, f"{url}/big.bin")
    weft("--check", "sha256=" + digest[::-1], f"{url}/big.bin", status=90)
    assert weft(f"{url}/away") == files["small.txt"]
    assert b"HTTP/1.1 30" in weft("--no-follow", "-I", f"{url}/away")
    weft(f"{url}/nothing-here", status=22)
    assert weft("-I", f"{url}/small.txt").startswith(b"HTTP/1.1 200 ")


def check_keep_alive(url, files, count):
    before = count()
    many = weft(*[f"{url}/small.txt"] * 30)
    assert many == files["small.txt"] * 30
    assert count() - before <= 1, count() - before


def check_resumption(url, files, folder):
    data, path = files["big.bin"], os.path.join(folder, "big.bin")
    digest = "sha256=" + hashlib.sha256(data).hexdigest()
    weft("-o", path, "--check", digest, f"{url}/big.bin")
    whole = os.stat(path)
    for length in (1, 12345678, len(data) - 1):
        with open(path, "r+b") as file:
            file.truncate(length)
        os.utime(path, (whole.st_mtime, whole.st_mtime))
        weft("-C", "-", "-o", path, "--check", digest, f"{url}/big.bin")
        assert open(path, "rb").read() == data
    weft("-C", "-", "-o", path, "--check", digest, f"{url}/big.bin")  # it is complete: 416
    with open(path, "wb") as file:  # another file, of another time: from the beginning
        file.write(b"other" * 1000)
    os.utime(path, (1, 1))
    weft("-C", "-", "-o", path, "--check", digest, f"{url}/big.bin")
    assert open(path, "rb").read() == data


def check_upload(url, folder, answer):
    data = random.Random(1).randbytes(BIG)
    path = os.path.join(folder, "upload.bin")
    with open(path, "wb") as file:
        file.write(data)
    answer(weft("-T", path, f"{url}/put/a"), data, False)
    answer(weft("-T", "-", f"{url}/put/b", data=data), data, True)


def nginx(root, files):
    kit.need("nginx")
    port = free_port()
    with open(f"{root}/nginx.conf", "w", encoding="utf-8") as file:
        file.write(NGINX.format(root=root, port=port, user="user root;" if os.getuid() == 0 else ""))
    with open(f"{root}/users", "w", encoding="utf-8") as file:
        file.write("me:{PLAIN}pw\n")
    url = f"http://127.0.0.1:{port}"
    with Process(["nginx", "-c", f"{root}/nginx.conf", "-p", root, "-e", f"{root}/error.log"], port):
        def count():
            with open(f"{root}/connections.log", encoding="utf-8") as log:
                return len(set(log.read().split()))
        check_downloads(url, files)
        check_keep_alive(url, files, count)
        check_resumption(url, files, root)
        weft(f"{url}/secret/small.txt", status=22)
        assert weft("-u", "me:pw", f"{url}/secret/small.txt") == files["small.txt"]
        with open(f"{root}/error.log", encoding="utf-8") as log:
            assert "client sent invalid" not in log.read()


def python(root, files):
    os.chdir(f"{root}/files")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    for name, data in files.items():
        assert weft(f"{url}/{name}") == data
    weft(f"{url}/nothing", status=22)
    check_keep_alive(url, files, lambda: Quiet.connections)
    listing = weft(f"{url}/")
    assert b"small.txt" in listing
    path = os.path.join(root, "again.bin")  # it knows no ranges: the whole comes again
    with open(path, "wb") as file:
        file.write(b"part")
    weft("-C", "-", "-o", path, f"{url}/big.bin")
    assert open(path, "rb").read() == files["big.bin"]
    server.shutdown()


def node(root, files):
    kit.need("node")
    port = free_port()
    with open(f"{root}/server.js", "w", encoding="utf-8") as file:
        file.write(NODE)
    url = f"http://127.0.0.1:{port}"

    def answer(text, data, chunked):
        expected = hashlib.sha256(data).hexdigest()
        assert expected.encode() in text and b'"length":%d' % len(data) in text, text
        assert (b'"coding":"chunked"' in text) == chunked, text
    with Process(["node", f"{root}/server.js", f"{root}/files", str(port)], port):
        check_downloads(url, files)
        check_upload(url, root, answer)
        text = weft("-d", "a=b", "-d", "c=d", f"{url}/")
        assert hashlib.sha256(b"a=b&c=d").hexdigest().encode() in text and b"x-www-form-urlencoded" in text, text
        text = weft("-F", "a=b", "-F", f"f=@{root}/files/small.txt;type=text/x", f"{url}/")
        assert b"multipart/form-data; boundary=weft-" in text, text


def caddy(root, files):
    kit.need("caddy")
    port = free_port()
    with open(f"{root}/Caddyfile", "w", encoding="utf-8") as file:
        file.write(CADDY.format(root=root, port=port))
    url = f"http://127.0.0.1:{port}"
    with Process(["caddy", "run", "--config", f"{root}/Caddyfile", "--adapter", "caddyfile"], port,
                 env={**os.environ, "HOME": root}):
        check_downloads(url, files)
        check_resumption(url, files, root)


def own(root, files):
    with kit.Server(kit.WEFT, "web", "-q", "--log", "none", "-l", "0", f"{root}/files") as server:
        for name, data in files.items():
            assert weft(f"{server.url}/{name}") == data
        check_resumption(server.url, files, root)
        weft(f"{server.url}/nothing", status=22)


def main():
    servers = {"nginx": nginx, "python": python, "node": node, "caddy": caddy, "weft": own}
    with kit.folder() as root:
        files = {"small.txt": b"hello\n" * 100, "empty.txt": b"", "big.bin": random.Random(7).randbytes(BIG),
                 "text.txt": b"the same line, again and again\n" * 100_000}
        for name, data in files.items():
            kit.write(f"{root}/files", name, data)
        os.makedirs(f"{root}/files/put")
        servers[sys.argv[1]](root, files)
        os.chdir("/")
    print(f"{sys.argv[1]}: all is well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
