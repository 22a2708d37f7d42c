#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""curl against `weft web` and http_echo: files, ranges, conditions, codings, folders, names, connections."""
import email.utils
import json
import os
import random
import re
import subprocess
import time
import urllib.parse

import kit

TEXT = b"".join(b"line %06d of a text that compresses well\n" % i for i in range(6000))
NOISE = random.Random(7).randbytes(300_000)
SMALL = b"hello, world\n"
ODD_NAMES = ["<b>\"&'.txt", "grüße – 雪.txt", "a b+c%41?d#e;f.txt", "space end .txt", "$(id) `x`.txt", "{x|y}^~.txt"]
BAD_NAMES = [b"broken-\xff\xfe.txt", b"new\nline.txt", b"escape-\x1b[31m.txt", b"back\\slash.txt"]


def compress(path, program, suffix):
    """A compressed sibling as the tool makes it: returns what is in it."""
    data = subprocess.run([program, "-c", path], check=True, stdout=subprocess.PIPE).stdout
    return kit.write(os.path.dirname(path), os.path.basename(path) + suffix, data), data


def make_site(root):
    kit.write(root, "text.txt", TEXT)
    kit.write(root, "noise.bin", NOISE)
    kit.write(root, "small.html", SMALL)
    kit.write(root, "empty", b"")
    kit.write(root, ".secret", b"hidden\n")
    kit.write(root, ".hidden/file", b"hidden\n")
    kit.write(root, "sub/inner.txt", b"inner\n")
    kit.write(root, "site/index.html", b"<p>index</p>\n")
    kit.write(root, "site/other.txt", b"other\n")
    for name in ODD_NAMES:
        kit.write(root, "odd/" + name, name.encode())
    for name in BAD_NAMES:
        kit.write(root, b"odd/" + name, b"unreachable\n")
    os.symlink("sub/inner.txt", os.path.join(root, "in"))
    os.symlink("sub", os.path.join(root, "in-folder"))
    os.symlink("..", os.path.join(root, "sub", "up"))
    os.symlink("../outside.txt", os.path.join(root, "out"))
    os.symlink("..", os.path.join(root, "out-folder"))
    os.symlink("/etc/passwd", os.path.join(root, "absolute"))
    os.symlink("loop", os.path.join(root, "loop"))
    os.mkfifo(os.path.join(root, "fifo"))


class Site:
    """A served folder, with a canary beside it."""

    def __init__(self, *options):
        self.options = options

    def __enter__(self):
        self.temporary = kit.folder()
        self.root = os.path.join(self.temporary.name, "root")
        os.mkdir(self.root)
        kit.write(self.temporary.name, "outside.txt", b"canary\n")
        make_site(self.root)
        self.server = kit.web(self.root, *self.options)
        self.url = self.server.url
        return self

    def __exit__(self, *how):
        self.server.__exit__(*how)
        self.temporary.cleanup()


def curl(*arguments, status=0):
    done = subprocess.run(["curl", "--silent", "--show-error", "--max-time", str(kit.PATIENCE), "--noproxy", "*",
                           *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == status, (done.returncode, done.stderr)
    return done.stdout


def answer(*arguments):
    """A whole response: with --include, so that what curl saw is what is read."""
    head, body = curl("--include", "--raw", *arguments).split(b"\r\n\r\n", 1)
    first, *lines = head.decode("latin-1").split("\r\n")
    return kit.Response(int(first.split(" ")[1]), [tuple(line.split(": ", 1)) for line in lines], body)


def test_whole_files():
    with Site() as site:
        for name, data in [("text.txt", TEXT), ("noise.bin", NOISE), ("small.html", SMALL), ("empty", b"")]:
            response = answer(f"{site.url}/{name}")
            assert response.status == 200 and kit.sha256(response.body) == kit.sha256(data), name
            assert response.get("Content-Length") == str(len(data))
            assert response.get("Accept-Ranges") == "bytes"
            assert response.get("X-Content-Type-Options") == "nosniff"
            assert email.utils.parsedate_to_datetime(response.get("Date"))
        assert answer(f"{site.url}/text.txt").get("Content-Type") == "text/plain; charset=utf-8"
        assert answer(f"{site.url}/small.html?a=b&c").get("Content-Type") == "text/html; charset=utf-8"
        assert answer(f"{site.url}/noise.bin").get("Content-Type") == "application/octet-stream"


def test_single_ranges():
    with Site() as site:
        size = len(NOISE)
        for value, first, last in [("0-0", 0, 0), ("0-99", 0, 99), ("1000-", 1000, size - 1),
                                   ("-500", size - 500, size - 1),
                                   (f"{size - 1}-", size - 1, size - 1), (f"0-{size * 2}", 0, size - 1),
                                   (f"-{size * 2}", 0, size - 1), ("0-18446744073709551614", 0, size - 1)]:
            response = answer("--range", value, f"{site.url}/noise.bin")
            assert response.status == 206, (value, response)
            assert response.get("Content-Range") == f"bytes {first}-{last}/{size}", (value, response)
            assert response.body == NOISE[first:last + 1], value
            assert response.get("Content-Length") == str(last + 1 - first)
            assert response.get("ETag") and response.get("Last-Modified")


def test_unsatisfiable_and_unusable_ranges():
    with Site() as site:
        size = len(NOISE)
        for value in [f"bytes={size}-", "bytes=-0", f"bytes={size + 5}-{size + 9}", f"bytes={size}-,-0"]:
            response = answer("-H", f"Range: {value}", f"{site.url}/noise.bin")
            assert response.status == 416 and response.get("Content-Range") == f"bytes */{size}", (value, response)
        for value in ["bytes=5-3", "bytes=a-b", "bytes", "bytes=", "lines=0-5", "bytes=0-5,5-3", "bytes=1-2-3",
                      "bytes=99999999999999999999-"]:
            response = answer("-H", f"Range: {value}", f"{site.url}/noise.bin")
            assert response.status in (200, 416), (value, response)
            assert response.status == 416 or response.body == NOISE, value
        response = answer("-H", "Range: bytes=0-5", "-H", "Range: bytes=7-9", f"{site.url}/noise.bin")
        assert response.status == 200 and response.body == NOISE
        assert answer("-H", "Range: bytes=0-0", f"{site.url}/empty").status == 416


def parts_of(response):
    boundary = re.fullmatch(r"multipart/byteranges; ?boundary=([0-9A-Za-z]+)", response.get("Content-Type"))[1]
    assert response.body.endswith(f"\r\n--{boundary}--\r\n".encode())
    sections = (b"\r\n" + response.body).split(f"\r\n--{boundary}".encode())[1:-1]
    for section in sections:
        head, body = section.removeprefix(b"\r\n").split(b"\r\n\r\n", 1)
        yield dict(line.split(": ", 1) for line in head.decode().split("\r\n")), body


def test_multiple_ranges():
    with Site() as site:
        size = len(NOISE)
        response = answer("--range", "0-9,100-199,-5", f"{site.url}/noise.bin")
        assert response.status == 206 and response.get("Content-Length") == str(len(response.body))
        parts = list(parts_of(response))
        assert [fields["Content-Range"] for fields, _ in parts] == [
            f"bytes 0-9/{size}", f"bytes 100-199/{size}", f"bytes {size - 5}-{size - 1}/{size}"]
        assert [body for _, body in parts] == [NOISE[:10], NOISE[100:200], NOISE[-5:]]
        assert all(fields["Content-Type"] == "application/octet-stream" for fields, _ in parts)


def test_h1_21_many_and_overlapping_ranges_are_ignored():
    with Site() as site:
        many = ",".join(f"{i * 100}-{i * 100 + 9}" for i in range(17))
        for value in [many, "0-,0-,0-", "0-100,50-150", ",".join(["0-1"] * 1000),
                      ",".join(f"5-{i}" for i in range(6, 1300))]:
            response = answer("-H", f"Range: bytes={value}", f"{site.url}/noise.bin")
            assert response.status == 200 and response.body == NOISE, value[:40]
        sixteen = ",".join(f"{i * 100}-{i * 100 + 9}" for i in range(16))
        assert len(list(parts_of(answer("--range", sixteen, f"{site.url}/noise.bin")))) == 16


def test_if_range():
    with Site() as site:
        url = f"{site.url}/noise.bin"
        whole = answer(url)
        tag, date = whole.get("ETag"), whole.get("Last-Modified")
        assert tag.startswith('"')
        for value, status in [(tag, 206), (date, 206), ('"other"', 200), (f"W/{tag}", 200),
                              ("Thu, 01 Jan 1970 00:00:00 GMT", 200), ("Fri, 01 Jan 2100 00:00:00 GMT", 200)]:
            response = answer("-H", f"If-Range: {value}", "--range", "5-9", url)
            assert response.status == status, (value, response)
            assert response.body == (NOISE[5:10] if status == 206 else NOISE), value


def test_conditions():
    with Site() as site:
        url = f"{site.url}/text.txt"
        whole = answer(url)
        tag, date = whole.get("ETag"), whole.get("Last-Modified")
        early, late = "Thu, 01 Jan 2004 00:00:00 GMT", email.utils.formatdate(time.time() - 1, usegmt=True)
        for fields, status in [
                ([f"If-None-Match: {tag}"], 304), ([f"If-None-Match: W/{tag}"], 304), (["If-None-Match: *"], 304),
                ([f'If-None-Match: "a", {tag}'], 304), (['If-None-Match: "a"'], 200),
                ([f"If-Modified-Since: {date}"], 304), ([f"If-Modified-Since: {late}"], 304),
                ([f"If-Modified-Since: {early}"], 200), (["If-Modified-Since: yesterday"], 200),
                (['If-None-Match: "a"', f"If-Modified-Since: {date}"], 200),
                ([f"If-Match: {tag}"], 200), (["If-Match: *"], 200), (['If-Match: "a"'], 412),
                               ([f"If-Match: W/{tag}"], 412),
                ([f"If-Unmodified-Since: {date}"], 200), ([f"If-Unmodified-Since: {early}"], 412),
                ([f"If-Match: {tag}", f"If-Unmodified-Since: {early}"], 200),
                (['If-Match: "a"', f"If-None-Match: {tag}"], 412),
                               ([f"If-Match: {tag}", f"If-None-Match: {tag}"], 304)]:
            options = [word for field in fields for word in ("-H", field)]
            response = answer(*options, url)
            assert response.status == status, (fields, response)
            assert response.body == (TEXT if status == 200 else b""), fields
            if status == 304:
                assert response.get("ETag") == tag and response.get("Last-Modified") == date
                assert response.get("Content-Type") is None
            assert answer("--head", *options, url).status == status, fields


def test_curl_keeps_etags_and_times():
    with Site() as site, kit.folder() as home:
        tag, copy = os.path.join(home, "tag"), os.path.join(home, "copy")
        url = f"{site.url}/text.txt"
        code = ["--write-out", "%{http_code}", "--output", copy]
        assert curl("--etag-save", tag, "--remote-time", *code, url) == b"200"
        assert curl("--etag-compare", tag, *code, url) == b"304"
        assert os.stat(copy).st_mtime == int(os.stat(os.path.join(site.root, "text.txt")).st_mtime)
        assert curl("--time-cond", copy, *code, url) == b"304"
        kit.write(site.root, "text.txt", TEXT[1:], age=5)
        assert curl("--etag-compare", tag, *code, url) == b"200"


def test_head_says_what_get_says():
    with Site() as site:
        for target in ["text.txt", "noise.bin", "empty", "odd/", "site/", "site", "missing", "%zz"]:
            get, head = answer(f"{site.url}/{target}"), answer("--head", f"{site.url}/{target}")
            assert head.status == get.status and head.body == b"", target
            assert [f for f in head.fields if f[0] != "Date"] == [f for f in get.fields if f[0] != "Date"], target
        response = answer("--head", "--range", "0-4", f"{site.url}/noise.bin")
        assert response.status == 200 and response.get("Content-Length") == str(len(NOISE))


def test_connections_are_kept():
    with Site() as site:
        out = ["--output", "/dev/null", "--write-out", "%{num_connects} %{http_code} "]
        both = [*out, f"{site.url}/text.txt", *out, f"{site.url}/noise.bin"]
        assert curl(*both) == b"1 200 0 200 "
        assert curl("--http1.0", *both) == b"1 200 1 200 "
        assert curl("--http1.0", "-H", "Connection: keep-alive", *both) == b"1 200 0 200 "
        assert curl("-H", "Connection: close", *both) == b"1 200 1 200 "
        kept = [*out, f"{site.url}/missing", *out, f"{site.url}/text.txt", *out, f"{site.url}/odd/", *out,
                f"{site.url}/sub"]
        assert curl(*kept) == b"1 404 0 200 0 200 0 301 "


def test_expect_continue():
    with kit.echo() as server:
        body = b"x" * 5000
        done = subprocess.run(["curl", "-sv", "--noproxy", "*", "-H", "Expect: 100-continue", "--expect100-timeout",
                               "30",
                               "--data-binary", "@-", server.url], input=body, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE,
                              timeout=kit.PATIENCE)
        assert b"< HTTP/1.1 100 Continue" in done.stderr, done.stderr
        assert json.loads(done.stdout)["body_sha256"] == kit.sha256(body)
        response = answer("-H", "Expect: a-miracle", "--data-binary", "x", server.url)
        assert response.status == 417 and response.get("Connection") == "close"


def test_uploads_come_back():
    with kit.echo() as server, kit.folder() as home:
        path = kit.write(home, "upload", NOISE)
        for options, length in [(["--data-binary", f"@{os.fsdecode(path)}"], True),
                                (["--upload-file", os.fsdecode(path)], True),
                                (["-H", "Transfer-Encoding: chunked", "--upload-file", os.fsdecode(path)], False)]:
            seen = json.loads(curl(*options, f"{server.url}/there"))
            assert seen["body_sha256"] == kit.sha256(NOISE) and seen["body_length"] == len(NOISE)
            names = [name.lower() for name, _ in seen["fields"]]
            assert ("content-length" in names) == length and ("transfer-encoding" in names) != length
        big = kit.write(home, "big", bytes(2 << 20))
        assert answer("-H", "Expect:", "--data-binary", f"@{os.fsdecode(big)}", server.url).status == 413
        assert answer("--data-binary", f"@{os.fsdecode(big)}", server.url).status == 413


def test_http09_is_refused():
    with Site() as site:
        with kit.Connection(site.server.port) as connection:
            connection.send(b"GET /text.txt\r\n")
            assert connection.response().status == 400
            assert connection.ended()[0] == b""
        assert answer("--http0.9", f"{site.url}/text.txt").status == 200


def test_http10():
    with Site() as site:
        response = answer("--http1.0", f"{site.url}/text.txt")
        assert response.status == 200 and response.body == TEXT and response.get("Connection") == "close"
        response = answer("--http1.0", f"{site.url}/odd/")
        assert response.status == 200 and response.get("Transfer-Encoding") is None


def test_h1_22_traversal():
    with Site() as site:
        for target in ["/../outside.txt", "/sub/../../outside.txt", "/%2e%2e/outside.txt", "/%2E%2e/outside.txt",
                       "/.%2e/outside.txt", "/..%2foutside.txt", "/..%5coutside.txt", "/sub/..%2f..%2foutside.txt",
                       "/%252e%252e/outside.txt", "/..;/outside.txt", "/.;/../outside.txt", "//../outside.txt",
                       "/./../outside.txt", "/out-folder/outside.txt", "/out", "/absolute", "/%2fetc/passwd",
                       "//etc/passwd", "/etc/passwd", "/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/..\\outside.txt",
                       "/%c0%ae%c0%ae/outside.txt", "/%c0%af..%c0%afoutside.txt", "/%e0%80%ae%e0%80%ae/outside.txt",
                       "/%uff0e%uff0e/outside.txt", "/text.txt%00.html", "/..%00/outside.txt", "/...//outside.txt",
                       "/....//outside.txt", "/sub/up/../outside.txt", "/sub/up/../../outside.txt",
                       "/..%0d%0a/outside.txt"]:
            response = answer("--path-as-is", "--globoff", f"{site.url}{target}")
            assert response.status in (400, 404), (target, response)
            assert b"canary" not in response.body and b"root:" not in response.body, target


def test_symbolic_links():
    with Site() as site:
        assert curl(f"{site.url}/in") == b"inner\n"
        assert curl(f"{site.url}/in-folder/inner.txt") == b"inner\n"
        assert curl("--path-as-is", f"{site.url}/sub/up/text.txt") == TEXT
        for name in ["out", "out-folder", "out-folder/", "absolute", "loop", "fifo"]:
            assert answer(f"{site.url}/{name}").status == 404, name


def test_hidden_files():
    with Site() as site:
        for name in [".secret", ".hidden/", ".hidden/file", "%2esecret"]:
            assert answer("--path-as-is", f"{site.url}/{name}").status == 404, name
        assert b"secret" not in curl(f"{site.url}/")
    with Site("--hidden") as site:
        assert curl(f"{site.url}/.secret") == b"hidden\n" and curl(f"{site.url}/.hidden/file") == b"hidden\n"
        assert b".secret" in curl(f"{site.url}/")
        assert answer("--path-as-is", f"{site.url}/../outside.txt").status == 404


def test_resume():
    with Site() as site, kit.folder() as home:
        path = os.path.join(home, "part")
        kit.write(home, "part", NOISE[:123_457])
        curl("-C", "-", "--output", path, f"{site.url}/noise.bin")
        with open(path, "rb") as file:
            assert kit.sha256(file.read()) == kit.sha256(NOISE)


def test_compressed_siblings():
    kit.need("gzip", "brotli", "zstd")
    with Site() as site:
        text = os.path.join(site.root, "text.txt")
        data = {"": TEXT}
        for program, suffix, name in [("gzip", ".gz", "gzip"), ("brotli", ".br", "br"), ("zstd", ".zst", "zstd")]:
            data[name] = compress(text, program, suffix)[1]
        for accept, coding in [
                ("br", "br"), ("gzip", "gzip"), ("zstd", "zstd"), ("gzip, br", "br"), ("br;q=0.5, gzip", "gzip"),
                ("br;q=0, *", None), ("gzip;q=0", ""), ("identity", ""), ("identity;q=1, gzip;q=0.5", ""),
                               ("deflate", ""),
                ("GZIP", "gzip"), ("x-gzip", None), ("*;q=0", None), ("", "")]:
            response = answer("-H", f"Accept-Encoding: {accept}" if accept else "Accept-Encoding;",
                              f"{site.url}/text.txt")
            got = response.get("Content-Encoding") or ""
            assert response.status == 200 and (coding is None or got == coding), (accept, response)
            assert accept != "br;q=0, *" or got != "br"
            assert response.body == data[got], accept
            assert response.get("Content-Type") == "text/plain; charset=utf-8"
            assert not got or response.get("Vary") == "Accept-Encoding"
        plain = answer(f"{site.url}/text.txt")
        tags = {plain.get("ETag"), *(answer("-H", f"Accept-Encoding: {name}", f"{site.url}/text.txt").get("ETag")
                                     for name in data if name)}
        assert len(tags) == 4, tags
        assert kit.sha256(curl("--compressed", f"{site.url}/text.txt")) == kit.sha256(TEXT)
        response = answer("-H", "Accept-Encoding: gzip", "--range", "0-9", f"{site.url}/text.txt")
        assert response.status == 206 and response.body == data["gzip"][:10]
        assert answer("-H", "Accept-Encoding: gzip", f"{site.url}/noise.bin").get("Content-Encoding") is None
        assert answer(f"{site.url}/text.txt.gz").body == data["gzip"]
    with Site("--no-precompressed") as site:
        compress(os.path.join(site.root, "text.txt"), "gzip", ".gz")
        assert answer("-H", "Accept-Encoding: gzip", f"{site.url}/text.txt").body == TEXT


def test_vary_is_said_wherever_the_coding_was_negotiated():
    with Site() as site:
        compress(os.path.join(site.root, "text.txt"), "gzip", ".gz")
        for accept in ["gzip", "identity", "gzip;q=0"]:
            response = answer("-H", f"Accept-Encoding: {accept}", f"{site.url}/text.txt")
            assert response.get("Vary") == "Accept-Encoding", (accept, response)
        assert answer(f"{site.url}/text.txt").get("Vary") == "Accept-Encoding"


def test_folders():
    with Site() as site:
        for target, location in [("/sub", "/sub/"), ("/sub?C=N", "/sub/?C=N"), ("/in-folder", "/in-folder/"),
                                 ("/su%62", "/su%62/")]:
            response = answer(f"{site.url}{target}")
            assert response.status == 301 and response.get("Location") == location, (target, response)
        assert curl("--location", f"{site.url}/site") == b"<p>index</p>\n"
        assert curl(f"{site.url}/site/") == b"<p>index</p>\n"
        assert answer(f"{site.url}/text.txt/").status == 404
        assert answer(f"{site.url}/missing").status == 404 and answer(f"{site.url}/missing/").status == 404
        response = answer("--path-as-is", f"{site.url}//sub")
        assert response.status == 404 or not response.get("Location").startswith("//"), response
    with Site("--index", "nothing.html", "--index", "other.txt") as site:
        assert curl(f"{site.url}/site/") == b"other\n"
    with Site("--no-listing") as site:
        assert answer(f"{site.url}/").status == 404 and answer(f"{site.url}/site/").status == 200
        assert answer(f"{site.url}/sub").status in (301, 404)


def test_methods():
    with Site() as site:
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"]:
            response = answer("--request", method, "-H", "Cookie: secret=1", f"{site.url}/text.txt")
            assert response.status == 405 and response.get("Allow") == "GET, HEAD", (method, response)
            assert b"secret" not in response.body
        assert answer("--request", "BREW", f"{site.url}/text.txt").status == 501
        assert answer("--request", "get", f"{site.url}/text.txt").status == 501
        assert answer("--data-binary", "x" * 100000, f"{site.url}/text.txt").status == 405


def test_listing_escapes_names():
    with Site() as site:
        response = answer(f"{site.url}/odd/")
        page = response.body.decode("utf-8")
        assert response.get("Content-Type") == "text/html; charset=utf-8"
        assert "default-src 'none'" in response.get("Content-Security-Policy")
        assert "<b>" not in page and "<b>\"&" not in page
        assert "\x1b" not in page and "new\nline" not in page
        links = re.findall(r'href="([^"]*)"', page)
        assert not any(re.search(r"[<>'\s]", link) for link in links), links
        reached = 0
        for link in links:
            target = urllib.parse.urljoin(f"{site.url}/odd/", link.replace("&amp;", "&").replace("&#39;", "'"))
            name = urllib.parse.unquote(urllib.parse.urlsplit(target).path).rsplit("/", 1)[1]
            if name in ODD_NAMES:
                assert curl("--globoff", "--path-as-is", target) == name.encode(), target
                reached += 1
        assert reached == len(ODD_NAMES), (reached, links)


def test_a_listing_longer_than_a_stream_may_queue():
    with kit.folder() as root:
        for i in range(4000):
            open(os.path.join(root, f"{i:05d}" + "ß" * 120), "wb").close()
        with kit.web(root) as server:
            page = curl("--limit-rate", "8m", f"{server.url}/")
            assert len(page) > 4_500_000 and page.rstrip().endswith(b"</html>"), len(page)
            assert page.count(b"<tr><td>") == 4000
            assert int(answer("--head", f"{server.url}/").get("Content-Length")) == len(page)


def test_percent_encodings():
    with Site() as site:
        for target, status in [("/te%78t.txt", 200), ("/%74%65%78%74%2etxt", 200), ("/text%2Etxt", 200),
                               ("/text.txt%", 400),
                               ("/text.txt%4", 400), ("/text.txt%4g", 400), ("/%ff", 400), ("/%ed%a0%80", 400),
                               ("/%0a", 400), ("/%7f", 400), ("/sub%2finner.txt", 404), ("/sub/%69nner.txt", 200),
                               ("/%25", 404), ("/text.txt?%", 200), ("/text.txt?a=%zz", 200)]:
            assert answer("--globoff", "--path-as-is", f"{site.url}{target}").status == status, target
        long = "/" + "a" * 300
        assert answer(f"{site.url}{long}").status == 404
        assert answer(f"{site.url}/{'a/' * 2040}").status in (404, 414)
        assert answer(f"{site.url}/{'a' * 9000}").status == 414


def test_h1_26_pages_reflect_nothing():
    with Site() as site:
        mark = "%3Ch1%3Ecanary%3C/h1%3E"
        for options, target in [([], f"/{mark}"), ([], f"/missing?{mark}"), (["-H", "Host: <h1>canary"], "/"),
                                (["-H", "Host: a.example"], f"/{mark}%"), ([], f"/sub?{mark}"), ([], f"/odd/?{mark}"),
                                (["--request", "CANARY"], "/"), (["-H", "Referer: <h1>canary"], "/missing")]:
            response = answer("--path-as-is", *options, f"{site.url}{target}")
            assert b"<h1>canary" not in response.body and b"canary" not in response.body.lower(), (target,
                                                                                                   response.body)


def test_h1_29_upgrades_are_ignored():
    with Site() as site:
        assert curl("--http2", f"{site.url}/text.txt") == TEXT
        for fields in [["Upgrade: websocket", "Connection: Upgrade"], ["Upgrade: nothing", "Connection: upgrade"]]:
            response = answer(*[word for field in fields for word in ("-H", field)], f"{site.url}/text.txt")
            assert response.status == 200 and response.body == TEXT


def test_h1_30_trace_echoes_nothing():
    with kit.echo() as server, Site() as site:
        for url in [server.url, f"{site.url}/text.txt"]:
            response = answer("--request", "TRACE", "-H", "Cookie: secret=1", "-H", "Authorization: Basic c2VjcmV0",
                              url)
            assert response.status == 405 and b"secret" not in response.body and b"c2VjcmV0" not in response.body


def test_el_21_log_lines_cannot_be_forged():
    for form in ["common", "json"]:
        with Site("--log", form) as site:
            answer("-A", "agent\" \\ \x80\xff 127.0.0.1 - - [", "-e", 'ref" 200 0 "', f"{site.url}/text.txt?%0d%0a%22")
            with kit.Connection(site.server.port) as connection:
                connection.request("GET", "/missing",
                                   [("User-Agent", "tab\there \"quote\" back\\slash"), ("Referer", "r\xe9f")])
            with kit.Connection(site.server.port) as connection:
                connection.send(b"GET /\x1b[2J\x00 HTTP/1.1\r\nHost: x\r\nUser-Agent: \x1b[2J\r\n\r\n")
                assert connection.response().status == 400
            kit.eventually("three lines of log", lambda: site.server.log().count(b"\n") >= 3)
            log = site.server.log()
            assert log.count(b"\n") == 3 and not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", log.decode("utf-8")), log
            if form == "json":
                lines = [json.loads(line) for line in log.splitlines()]
                assert lines[0]["status"] == 200 and lines[1]["user_agent"] == 'tab\there "quote" back\\slash'
            else:
                quoted = rb'"(?:[^"\\]|\\.)*"'
                line = rb'^127\.0\.0\.1 - - \[[^]]+\] "[^"]*" \d{3} \d+ %b %b$' % (quoted, quoted)
                assert len(re.findall(line, log, re.M)) == 3, log


def test_unix_sockets():
    with kit.folder() as home:
        path = os.path.join(home, "s")
        kit.write(home, "file", SMALL)
        with kit.web(home, "--listen", f"unix://{path}", listeners=2) as server:
            assert curl("--unix-socket", path, "http://localhost/file") == SMALL
            assert curl(f"{server.url}/file") == SMALL


kit.need("curl")
kit.main(globals())
