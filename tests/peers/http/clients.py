#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Other clients than curl: wget mirrors a tree, ab and wrk make load, Python's http.client keeps connections and
pipelines, Node's fetch streams, uploads and aborts. Run one with its name: wget, ab, wrk, python, node."""
import filecmp
import http.client
import json
import os
import random
import re
import subprocess

import kit


def run(*command, **rest):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=2 * kit.PATIENCE, **rest)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def make_tree(root):
    chance = random.Random(11)
    for folder in ["", "a/", "a/b/", "a/b/c d/", "ünïcode/", "z+plus&more/"]:
        for i in range(5):
            kit.write(root, f"{folder}file {i}.bin",
                      chance.randbytes(chance.choice([0, 1, 100, 5000, 20_000, 400_000])))
    kit.write(root, "a/100%.txt", b"percent\n")


def same(left, right):
    compared = filecmp.dircmp(left, right)
    assert not compared.left_only and not compared.right_only, (left, compared.left_only, compared.right_only)
    _, mismatch, errors = filecmp.cmpfiles(left, right, compared.common_files, shallow=False)
    assert not mismatch and not errors, (left, mismatch, errors)
    return len(compared.common_files) + sum(same(os.path.join(left, name), os.path.join(right, name))
                                            for name in compared.common_dirs)


def test_wget_mirrors_a_tree():
    kit.need("wget")
    with kit.folder() as home:
        root, copy = os.path.join(home, "root"), os.path.join(home, "copy")
        make_tree(root)
        os.mkdir(copy)
        command = ["wget", "--mirror", "--no-parent", "--no-host-directories", "--reject-regex", r"\?", "--reject",
                   "index.html*",
                   "--restrict-file-names=nocontrol", "--no-proxy", "--tries=1", "--timeout=30"]
        with kit.web(root) as server:
            status, said = run(*command, f"{server.url}/", cwd=copy)
            assert status == 0, said[-2000:]
            count = same(root, copy)
            assert count == 31, count
            assert os.stat(f"{copy}/a/100%.txt").st_mtime == int(os.stat(f"{root}/a/100%.txt").st_mtime)
            status, said = run(*command, f"{server.url}/", cwd=copy)
            assert status == 0 and said.count("304 Not Modified") + said.count("not modified") >= count, said[-2000:]


def test_ab_fails_no_request():
    kit.need("ab")
    with kit.folder() as root:
        kit.write(root, "small", b"x" * 1000)
        kit.write(root, "large", bytes(300_000))
        with kit.web(root) as server:
            for options, target, count in [(["-k"], "small", 5000), ([], "small", 3000), (["-k"], "large", 1000),
                                           ([], "large", 500), (["-k"], "", 2000), (["-k", "-i"], "small", 1000),
                                           (["-k", "-H", "Accept-Encoding: gzip"], "missing", 1000)]:
                status, said = run("ab", "-q", "-n", str(count), "-c", "20", *options, f"{server.url}/{target}")
                figure = {name: int(value) for name,
                          value in re.findall(r"^([A-Z][A-Za-z0-9 -]+): +(\d+)\b", said, re.M)}
                assert status == 0 and figure["Complete requests"] == count, said
                assert figure["Failed requests"] == 0, said
                assert figure.get("Non-2xx responses", 0) == (count if target == "missing" else 0), said
                assert figure.get("Keep-Alive requests", 0) == (count if "-k" in options else 0), said


def test_wrk_sees_no_error():
    kit.need("wrk")
    with kit.folder() as root:
        kit.write(root, "small", b"x" * 1000)
        kit.write(root, "large", bytes(300_000))
        for workers in ["1", "2"]:
            with kit.web(root, "--workers", workers) as server:
                for target in ["small", "large"]:
                    status, said = run("wrk", "-t", "1", "-c", "30", "-d", "1", f"{server.url}/{target}")
                    assert status == 0 and "Non-2xx" not in said and "Socket errors" not in said, said
                    assert int(re.search(r"(\d+) requests in", said)[1]) > 0, said


def test_python_http_client():
    with kit.folder() as root, kit.echo() as echo:
        data = random.Random(3).randbytes(200_000)
        kit.write(root, "file", data)
        with kit.web(root) as server:
            client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=kit.PATIENCE)
            client.connect()
            kept = client.sock
            for target, status, body in [("/file", 200, data), ("/missing", 404, None), ("/file", 200, data),
                                         ("/", 200, None)]:
                client.request("GET", target)
                response = client.getresponse()
                seen = response.read()
                assert response.status == status and (body is None or seen == body), target
                assert client.sock is kept, "the connection was not kept"
            client.request("HEAD", "/file")
            response = client.getresponse()
            assert response.read() == b"" and response.getheader("Content-Length") == "200000"
            client.close()
        client = http.client.HTTPConnection("127.0.0.1", echo.port, timeout=kit.PATIENCE)
        for body in [data, (data[i:i + 999] for i in range(0, len(data), 999))]:
            client.request("PUT", "/up", body=body, encode_chunked=not isinstance(body, bytes))
            seen = json.loads(client.getresponse().read())
            assert seen["body_sha256"] == kit.sha256(data) and seen["body_length"] == len(data)
        client.close()


def test_python_pipelines_in_order():
    with kit.folder() as root, kit.echo() as echo:
        chance = random.Random(5)
        files = {f"/{i}": chance.randbytes(chance.choice([0, 10, 5000, 30_000, 100_000])) for i in range(40)}
        for name, data in files.items():
            kit.write(root, name[1:], data)
        with kit.web(root) as server, kit.Connection(server.port) as connection:
            for _ in range(5):
                order = [chance.choice([*files, "/missing", "/"]) for _ in range(50)]
                requests = (f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n" for target in order)
                connection.send("".join(requests).encode())
                for target in order:
                    response = connection.response()
                    assert response.status == (404 if target == "/missing" else 200)
                    assert target not in files or response.body == files[target], target
        with kit.Connection(echo.port) as connection:
            requests = b""
            for i in range(300):
                body = chance.randbytes(i)
                head = f"POST /{i} HTTP/1.1\r\nHost: localhost\r\n"
                if i % 2:
                    requests += f"{head}Content-Length: {i}\r\n\r\n".encode() + body
                else:
                    chunk = b"%x\r\n%b\r\n" % (i, body) if i else b""
                    requests += f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk + b"0\r\n\r\n"
            connection.send(requests)
            for i in range(300):
                seen = json.loads(connection.response().body)
                assert seen["target"] == f"/{i}" and seen["body_length"] == i, (i, seen)


def test_node_fetch():
    kit.need("node")
    with kit.folder() as root, kit.echo() as echo:
        data = random.Random(9).randbytes(20_000_000)
        kit.write(root, "big", data)
        kit.write(root, "sub/file", b"file\n")
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fetch.mjs")
        with kit.web(root) as server:
            kit.fetch(server.port, "/sub/file")
            base = kit.descriptors(server.pid)
            status, said = run("node", script, server.url, echo.url, kit.sha256(data), str(len(data)))
            if status == 77:
                kit.skip("this node has no fetch")
            assert status == 0, said
            kit.eventually("aborted downloads are given up", lambda: kit.descriptors(server.pid) <= base + 1)


kit.main(globals())
