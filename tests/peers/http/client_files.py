#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What `weft get` does to the files of its user: the names it makes, what it appends to what is there, and that a
refusal leaves a file as it was, its content and its time."""
import hashlib
import os

import kit
from client_command import CHANGED, OK, weft
from client_origin import END, READ, Origin

DATE = b"Last-Modified: Mon, 02 Jan 2023 03:04:05 GMT\r\n"
LATER = b"Last-Modified: Tue, 03 Jan 2023 03:04:05 GMT\r\n"
COULD_NOT_RESUME, PROTOCOL, TRUNCATED, TOO_LONG = 33, 56, 18, 63


def there(root, name="file", data=b"abc"):
    path = f"{root}/{name}"
    with open(path, "wb") as file:
        file.write(data)
    os.utime(path, (CHANGED, CHANGED))
    return path


def content(path):
    with open(path, "rb") as file:
        return file.read()


def is_untouched(path, data=b"abc"):
    assert content(path) == data, content(path)
    about = os.stat(path)
    assert about.st_mtime_ns == CHANGED * 10**9, about


def answer(status, *fields, body=b"", length=True):
    lines = [b"HTTP/1.1 " + status, *fields] + ([b"Content-Length: %d" % len(body)] if length else [])
    return b"".join(line.rstrip(b"\r\n") + b"\r\n" for line in lines) + b"\r\n" + body


def chunked(*fields, body):
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    return answer(b"206 P", b"Transfer-Encoding: chunked", *fields, body=chunks, length=False)


def test_names_that_are_made():
    with kit.folder() as root:
        for path, name in [("/-", "-"), ("/.a", ".a"), ("/...", "..."), ("/a/%2Fb", "%2Fb"), ("/a%2Fb", "a%2Fb"),
                           ("/..%2F..%2Fx", "..%2F..%2Fx"), ("/%00", "%00"), ("/%0A%1B", "%0A%1B"), ("/%2e%2e", "%2e%2e"),
                           ("//x", "x"), ("/y;z=1?q=/w#/f", "y;z=1"), ("/-rf", "-rf"), ("/http://z", "z")]:
            with Origin([READ, OK]) as origin:
                out, errors = weft("-O", origin.url + path, cwd=root)
            assert not out and not errors, (path, out, errors)
            assert os.listdir(root) == [name], (path, os.listdir(root))
            assert content(f"{root}/{name}") == b"ok"
            os.unlink(f"{root}/{name}")


def test_names_that_are_not_made():
    with kit.folder() as root:
        for path in ["", "/", "/.", "/..", "/a/", "/a/..", "?/x", "#/x", "/a\nb", "/a\x1b[31m", "/a b", "/" + "x" * 256]:
            out, errors = weft("-O", "http://127.0.0.1:1" + path, cwd=root, status=2)
            assert not out and errors.count("\n") == 1 and "\x1b" not in errors, (path, errors)
            assert not os.listdir(root), (path, os.listdir(root))


def test_the_server_has_no_say_in_the_name():
    with kit.folder() as root:
        with Origin([READ, b"HTTP/1.1 302 F\r\nLocation: /evil\r\nContent-Length: 0\r\n\r\n", READ,
                     answer(b"200 OK", b'Content-Disposition: attachment; filename="evil"', body=b"ok")]) as origin:
            weft("-O", origin.url + "/mine", cwd=root)
        assert os.listdir(root) == ["mine"]


def test_other_statuses_leave_a_part_as_it_was():
    for reply, arguments, status in [
            (answer(b"404 N", LATER, body=b"not found"), [], 22),
            (answer(b"404 N", LATER, body=b"not found"), ["--no-fail"], COULD_NOT_RESUME),
            (answer(b"500 E", LATER, body=b"sorry"), [], 22),
            (answer(b"500 E", body=b"sorry"), ["--no-fail"], COULD_NOT_RESUME),
            (answer(b"416 R", b"Content-Range: bytes */3"), [], 0),
            (answer(b"416 R", b"Content-Range: bytes */3", DATE), [], 0),
            (answer(b"416 R", b"Content-Range: bytes */3", LATER), [], COULD_NOT_RESUME),
            (answer(b"416 R", b"Content-Range: bytes */2"), [], COULD_NOT_RESUME),
            (answer(b"416 R", b"Content-Range: bytes */9"), [], COULD_NOT_RESUME),
            (answer(b"416 R"), [], COULD_NOT_RESUME),
            (answer(b"416 R", b"Content-Range: bytes */2"), ["-C", "2"], COULD_NOT_RESUME),
            (answer(b"203 N", LATER, body=b"def"), [], COULD_NOT_RESUME),
            (answer(b"302 F", b"Location: /x", body=b"there"), ["--no-follow"], COULD_NOT_RESUME),
            (b"HTTP/1.1 204 N\r\n\r\n", [], COULD_NOT_RESUME)]:
        with kit.folder() as root, Origin([READ, reply]) as origin:
            path = there(root)
            weft("-C", "-", "-o", "file", *arguments, origin.url, cwd=root, status=status)
            is_untouched(path)


def test_only_the_range_that_was_asked_for_is_appended():
    fits = b"Content-Range: bytes 3-5/6"
    for reply, status in [
            (answer(b"206 P", b"Content-Range: bytes 0-5/6", body=b"abcdef"), COULD_NOT_RESUME),
            (answer(b"206 P", b"Content-Range: bytes 2-5/6", body=b"cdef"), COULD_NOT_RESUME),
            (answer(b"206 P", b"Content-Range: bytes 3-5/7", body=b"def"), COULD_NOT_RESUME),
            (answer(b"206 P", b"Content-Range: bytes 3-2/6", body=b""), COULD_NOT_RESUME),
            (answer(b"206 P", b"Content-Range: bytes 3-5", body=b"def"), COULD_NOT_RESUME),
            (answer(b"206 P", b"Content-Range: lines 3-5/6", body=b"def"), COULD_NOT_RESUME),
            (answer(b"206 P", b"Content-Range: bytes 3-18446744073709551615/*", body=b"def"), COULD_NOT_RESUME),
            (answer(b"206 P", fits, b"Content-Range: bytes 0-5/6", body=b"def"), COULD_NOT_RESUME),
            (answer(b"206 P", b"Content-Type: multipart/byteranges; boundary=x", body=b"def"), COULD_NOT_RESUME),
            (answer(b"206 P", fits, LATER, body=b"def"), COULD_NOT_RESUME),
            (answer(b"206 P", fits, b"Last-Modified: soon", body=b"def"), COULD_NOT_RESUME),
            (answer(b"206 P", fits, b"Content-Encoding: gzip", body=b"def"), COULD_NOT_RESUME),
            (chunked(fits, b"Content-Encoding: br", body=b"def"), COULD_NOT_RESUME),
            (chunked(fits, body=b"defg"), PROTOCOL)]:
        with kit.folder() as root, Origin([READ, reply]) as origin:
            path = there(root)
            errors = weft("-C", "-", "-o", "file", origin.url, cwd=root, status=status)[1]
            assert errors.count("\n") == 1, errors
            assert content(path) == b"abc", (reply, content(path))
            if status == COULD_NOT_RESUME:
                is_untouched(path)
    for reply, status, left in [
            (answer(b"206 P", fits, DATE, body=b"def"), 0, b"abcdef"),
            (answer(b"206 P", fits, b"Content-Encoding: identity", body=b"def"), 0, b"abcdef"),
            (answer(b"206 P", fits, body=b"def"), 0, b"abcdef"),
            (chunked(fits, body=b"def"), 0, b"abcdef"),
            (chunked(fits, body=b"de"), TRUNCATED, b"abcde")]:
        with kit.folder() as root, Origin([READ, reply]) as origin:
            path = there(root)
            weft("-C", "-", "-o", "file", origin.url, cwd=root, status=status)
            assert content(path) == left, (reply, content(path))
            # what the next --continue is to compare with is the time of the whole, said again or not
            assert os.stat(path).st_mtime == CHANGED, reply


def test_a_part_is_not_taken_for_the_whole():
    reply = answer(b"206 P", b"Content-Range: bytes 0-1/2", body=b"no")
    for arguments in [["-o", "file"], ["-C", "-", "-o", "none"], []]:
        with kit.folder() as root, Origin([READ, reply]) as origin:
            path = there(root)
            out, errors = weft(*arguments, origin.url, cwd=root, status=PROTOCOL)
            assert not out and "206" in errors, (out, errors)
            is_untouched(path)
            assert os.listdir(root) == ["file"]
    with kit.folder() as root, Origin([READ, reply]) as origin:  # but whoever asks for a part gets it
        assert weft("-H", "Range: bytes=0-1", origin.url)[0] == b"no"
    assert "Range" in weft("-H", "range: bytes=0-1", "-C", "-", "-o", "x", "http://127.0.0.1:1/", status=2)[1]


def test_checking_a_finished_file_only_reads_it():
    finished = answer(b"416 R", b"Content-Range: bytes */3")
    right, wrong = hashlib.sha256(b"abc").hexdigest(), "0" * 64
    for mode in [0o644, 0o444]:
        for digest, status in [(right, 0), (wrong, 90)]:
            with kit.folder() as root, Origin([READ, finished]) as origin:
                path = there(root)
                os.chmod(path, mode)
                errors = weft("-C", "-", "-o", "file", "--check", "sha256=" + digest, origin.url, cwd=root,
                              status=status)[1]
                assert (right in errors) == (status == 90), errors
                is_untouched(path)


def test_a_finished_file_that_cannot_be_read_is_not_passed():
    """Root may read everything, so the file goes away while the request is under way."""
    for name in ["gone", "folder"]:
        with kit.folder() as root:
            path = there(root)

            class Taking(Origin):
                def _read(self, peer):
                    done = super()._read(peer)
                    os.unlink(path)
                    if name == "folder":
                        os.mkdir(path)
                    return done

            with Taking([READ, answer(b"416 R", b"Content-Range: bytes */3")]) as origin:
                errors = weft("-C", "-", "-o", "file", "--check", "sha256=" + "0" * 64, origin.url, cwd=root, status=1)[1]
            assert errors.count("\n") == 1 and "read" in errors, errors


def test_what_is_too_long_is_refused_before_the_file_is_touched():
    with kit.folder() as root, Origin([READ, answer(b"200 OK", body=b"123456")]) as origin:
        path = there(root)
        errors = weft("--max-size", "5", "-o", "file", origin.url, cwd=root, status=TOO_LONG)[1]
        assert "--max-size" in errors and errors.count("\n") == 1, errors
        is_untouched(path)
    with kit.folder() as root, Origin([READ, answer(b"206 P", b"Content-Range: bytes 3-5/6", body=b"def")]) as origin:
        path = there(root)  # what is there counts, too
        weft("--max-size", "5", "-C", "-", "-o", "file", origin.url, cwd=root, status=TOO_LONG)
        is_untouched(path)
    with kit.folder() as root, Origin([READ, answer(b"200 OK", length=False, body=b"123456"), END]) as origin:
        path = there(root)  # its length is not known before: the file holds what was taken
        weft("--max-size", "5", "-o", "file", origin.url, cwd=root, status=TOO_LONG)
        assert b"123456".startswith(content(path)) and len(content(path)) <= 5
    for size, status in [("6", 0), ("5", 0)]:
        with kit.folder() as root, Origin([READ, answer(b"200 OK", body=b"123456")[:-6]]) as origin:
            weft("--max-size", size, "-I", origin.url, cwd=root, status=status)  # a HEAD has no content


def test_what_has_not_changed_stays():
    reply = answer(b"304 N", LATER, length=False)
    digest = hashlib.sha256(b"abc").hexdigest()
    for arguments in [[], ["--check", "sha256=" + digest], ["-i"]]:
        with kit.folder() as root, Origin([READ, reply]) as origin:
            path = there(root)
            weft("-H", "If-Modified-Since: Mon, 02 Jan 2023 03:04:05 GMT", *arguments, "-o", "file", origin.url, cwd=root)
            is_untouched(path)
    with Origin([READ, reply]) as origin:
        assert weft("-i", origin.url)[0] == reply


def test_only_ordinary_files_are_gone_on_with():
    with kit.folder() as root:
        os.mkdir(f"{root}/folder")
        os.mkfifo(f"{root}/fifo")
        for name in ["folder", "fifo", "/dev/null"]:
            assert "ordinary file" in weft("-C", "-", "-o", name, "http://127.0.0.1:1/", cwd=root, status=23)[1]


def test_a_failure_before_the_content_leaves_the_file_as_it_was():
    for script, status in [([READ, answer(b"404 N", body=b"no")], 22), ([READ, END], TRUNCATED),
                           ([READ, b"nonsense\r\n\r\n"], PROTOCOL)]:
        with kit.folder() as root, Origin(script) as origin:
            path = there(root)
            got = weft("-o", "file", origin.url, cwd=root, status=status)
            assert not got[0]
            is_untouched(path)


if __name__ == "__main__":
    kit.main(globals())
