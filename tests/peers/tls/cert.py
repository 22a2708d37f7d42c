#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`weft cert` as its users meet it. What it makes is judged by the openssl command, by GnuTLS and by curl, each as far as
it is installed; what it says is looked at here."""
import contextlib
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
import traceback

BUILD = os.environ["WEFT_BUILD_DIR"]
WEFT = os.path.join(BUILD, "weft")
PATIENCE = 60
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def run(*command, status=0, cwd=None, data=None, env=None, umask=0o022):
    """What a command says on both outputs; it must end with `status` (None: with any)."""
    done = subprocess.run(command, capture_output=True, cwd=cwd, input=data, timeout=PATIENCE, check=False, umask=umask,
                          env={**os.environ, **(env or {})})
    out, errors = done.stdout.decode("utf-8", "backslashreplace"), done.stderr.decode("utf-8", "backslashreplace")
    assert "Sanitizer" not in errors and "runtime error" not in errors, errors
    assert status is None or done.returncode == status, f"{command}: status {done.returncode}: {out}{errors}"
    return done.returncode, out, errors


class Place:
    """A folder to work in, with an authority of its own."""

    def __init__(self, root):
        self.root, self.authority = root, os.path.join(root, "data", "weft")
        self.env = {"XDG_DATA_HOME": os.path.join(root, "data")}

    def cert(self, *arguments, status=0, **rest):
        return run(WEFT, "cert", *arguments, status=status, cwd=self.root, env=self.env, **rest)[1:]

    def path(self, name):
        return os.path.join(self.root, name)

    def ca(self):
        return os.path.join(self.authority, "authority.pem")

    def names(self):
        return sorted(os.listdir(self.root))


def read(path):
    with open(path, "rb") as file:
        return file.read()


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def verify(place, certificate, *options, status=0):
    """By OpenSSL, strictly."""
    return run("openssl", "verify", "-x509_strict", "-auth_level", "2", "-no-CApath", "-no-CAstore", "-CAfile", place.ca(),
               *options, place.path(certificate), status=status)[1:]


def verify_gnutls(place, certificate, host, status=0):
    if shutil.which("certtool"):
        run("certtool", "--verify", "--load-ca-certificate", place.ca(), "--verify-purpose", "1.3.6.1.5.5.7.3.1",
            "--verify-hostname", host, "--infile", place.path(certificate), status=status)


# -- what is made --

@test
def makes_an_authority_and_a_certificate(place):
    out, errors = place.cert("localhost", "example.test", "*.example.test", "127.0.0.1", "::1")
    assert not errors and place.authority in out and "localhost.pem" in out and "localhost-key.pem" in out, out
    assert place.names() == ["data", "localhost-key.pem", "localhost.pem"]
    assert sorted(os.listdir(place.authority)) == ["authority-key.pem", "authority.pem", "lock"]
    for host in ("localhost", "example.test", "a.example.test"):
        verify(place, "localhost.pem", "-purpose", "sslserver", "-verify_hostname", host)
        verify_gnutls(place, "localhost.pem", host)
    for address in ("127.0.0.1", "::1"):
        verify(place, "localhost.pem", "-purpose", "sslserver", "-verify_ip", address)
    verify(place, "localhost.pem", "-verify_hostname", "other.test", status=2)
    verify_gnutls(place, "localhost.pem", "other.test", status=1)
    verify(place, "localhost.pem", "-purpose", "sslclient", status=2)


@test
def the_fields_are_as_the_rules_want_them(place):
    place.cert("localhost")
    text = run("openssl", "x509", "-in", place.path("localhost.pem"), "-noout", "-text")[1]
    for wanted in (r"Version: 3", r"Subject: *\n", r"X509v3 Basic Constraints: critical\n +CA:FALSE",
                   r"X509v3 Key Usage: critical\n +Digital Signature\n", r"TLS Web Server Authentication\n",
                   r"X509v3 Subject Alternative Name: critical\n +DNS:localhost\n", r"Subject Key Identifier",
                   r"Authority Key Identifier", r"NIST CURVE: P-256", r"ecdsa-with-SHA256"):
        assert re.search(wanted, text), f"{wanted}\n{text}"
    serial = run("openssl", "x509", "-in", place.path("localhost.pem"), "-noout", "-serial")[1]
    assert re.fullmatch(r"serial=[4-7][0-9A-F]{39}\n", serial), serial
    text = run("openssl", "x509", "-in", place.ca(), "-noout", "-text")[1]
    for wanted in (r"Subject: CN = Weft development authority [0-9a-f]{6}\n",
                   r"X509v3 Basic Constraints: critical\n +CA:TRUE, pathlen:0",
                   r"X509v3 Key Usage: critical\n +Certificate Sign, CRL Sign\n"):
        assert re.search(wanted, text), f"{wanted}\n{text}"
    assert "Extended Key Usage" not in text
    for days, path in ((89, place.path("localhost.pem")), (3649, place.ca())):
        run("openssl", "x509", "-in", path, "-noout", "-checkend", str(days * 86400))
        run("openssl", "x509", "-in", path, "-noout", "-checkend", str((days + 2) * 86400), status=1)
    if shutil.which("certtool"):
        for path in (place.path("localhost.pem"), place.ca()):
            run("certtool", "--certificate-info", "--infile", path)
        for path in ("localhost-key.pem", os.path.join(place.authority, "authority-key.pem")):
            run("certtool", "--key-info", "--infile", place.path(path))


@test
def keys_are_for_their_owner_alone(place):
    place.cert("localhost", umask=0)
    assert mode(place.path("localhost-key.pem")) == 0o600
    assert mode(os.path.join(place.authority, "authority-key.pem")) == 0o600
    assert mode(place.path("localhost.pem")) == 0o666
    place.cert("--force", "localhost", umask=0o027)
    assert mode(place.path("localhost-key.pem")) == 0o600 and mode(place.path("localhost.pem")) == 0o640


@test
def every_type_of_key_is_one(place):
    for kind, said in (("p256", "P-256"), ("p384", "P-384"), ("ed25519", "ED25519"), ("rsa", "2048 bit")):
        place.cert("--type", kind, "--cert", f"{kind}.pem", "--key", f"{kind}-key.pem", "--dir", kind, "localhost")
        text = run("openssl", "x509", "-in", place.path(f"{kind}.pem"), "-noout", "-text")[1]
        assert said in text, text
        run("openssl", "verify", "-x509_strict", "-CAfile", place.path(f"{kind}/authority.pem"), place.path(f"{kind}.pem"))
        run("openssl", "pkey", "-in", place.path(f"{kind}-key.pem"), "-check", "-noout")


@test
def one_authority_serves_all(place):
    place.cert("localhost")
    before = read(place.ca())
    out, _ = place.cert("*.example.test")
    assert "authority" not in out and read(place.ca()) == before
    assert {"_wildcard.example.test.pem", "_wildcard.example.test-key.pem"} <= set(place.names())
    verify(place, "_wildcard.example.test.pem", "-verify_hostname", "a.example.test")


@test
def nothing_is_overwritten_unasked(place):
    place.cert("localhost")
    before = read(place.path("localhost-key.pem")), read(place.path("localhost.pem"))
    errors = place.cert("localhost", status=1)[1]
    assert "localhost-key.pem is there already" in errors and "--force" in errors
    os.unlink(place.path("localhost-key.pem"))
    errors = place.cert("localhost", status=1)[1]
    assert "localhost.pem is there already" in errors
    assert not os.path.exists(place.path("localhost-key.pem")) and read(place.path("localhost.pem")) == before[1]
    place.cert("--force", "localhost")
    assert read(place.path("localhost-key.pem")) != before[0]
    verify(place, "localhost.pem", "-verify_hostname", "localhost")


@test
def a_link_is_replaced_and_not_followed(place):
    with open(place.path("precious"), "w", encoding="utf-8") as file:
        file.write("precious")
    os.symlink("precious", place.path("localhost-key.pem"))
    place.cert("localhost", status=1)
    place.cert("--force", "localhost")
    assert read(place.path("precious")) == b"precious" and not os.path.islink(place.path("localhost-key.pem"))


@test
def commands_at_once_make_one_authority(place):
    running = [subprocess.Popen([WEFT, "cert", f"host{number}.test"], cwd=place.root, env={**os.environ, **place.env},
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for number in range(6)]
    for process in running:
        errors = process.communicate(timeout=PATIENCE)[1]
        assert process.returncode == 0, errors
    for number in range(6):
        verify(place, f"host{number}.test.pem", "-verify_hostname", f"host{number}.test")
    assert sorted(os.listdir(place.authority)) == ["authority-key.pem", "authority.pem", "lock"]


@test
def an_authority_may_be_bound_to_names(place):
    place.cert("--only", "good.test", "--only", "192.0.2.1", "a.good.test", "127.0.0.1", "192.0.2.1")
    verify(place, "a.good.test.pem", "-verify_hostname", "a.good.test")
    verify_gnutls(place, "a.good.test.pem", "a.good.test")
    text = run("openssl", "x509", "-in", place.ca(), "-noout", "-text")[1]
    assert re.search(r"Name Constraints: critical\n +Permitted:\n +DNS:good.test", text), text
    errors = place.cert("evil.test", status=1)[1]
    assert "'evil.test'" in errors and not os.path.exists(place.path("evil.test.pem"))
    errors = place.cert("--only", "other.test", "b.good.test", status=1)[1]
    assert "holds an authority already" in errors
    # Whoever has the key cannot do it, either.
    authority = [place.ca(), os.path.join(place.authority, "authority-key.pem")]
    run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/", "-addext",
        "subjectAltName=DNS:evil.test", "-CA", authority[0], "-CAkey", authority[1], "-x509", "-out",
        place.path("evil.pem"), "-keyout", place.path("evil-key.pem"), status=None)
    if os.path.exists(place.path("evil.pem")):
        assert "permitted subtree violation" in "".join(verify(place, "evil.pem", status=2))


# -- TLS with it --

@contextlib.contextmanager
def openssl_server(place, *options):
    """A server of the openssl command, on a port that is free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-www", "-quiet", *options],
                               cwd=place.root, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, "the server has ended"
        yield port
    finally:
        process.kill()
        process.wait()


@test
def curl_trusts_it_with_the_authority_and_not_without(place):
    if not shutil.which("curl"):
        return
    place.cert("localhost", "127.0.0.1")
    with openssl_server(place, "-cert", "localhost.pem", "-key", "localhost-key.pem") as port:
        for host in ("localhost", "127.0.0.1"):
            run("curl", "-4sSf", "--noproxy", "*", "--cacert", place.ca(), f"https://{host}:{port}/")
        run("curl", "-4sSf", "--noproxy", "*", f"https://localhost:{port}/", status=60)
        run("curl", "-sSf", "--noproxy", "*", "--cacert", place.ca(), "--resolve", f"other.test:{port}:127.0.0.1",
            f"https://other.test:{port}/", status=60)


@test
def gnutls_trusts_it_with_the_authority_and_not_without(place):
    if not shutil.which("gnutls-cli"):
        return
    place.cert("localhost", "127.0.0.1")
    with openssl_server(place, "-cert", "localhost.pem", "-key", "localhost-key.pem") as port:
        command = ["gnutls-cli", "--port", str(port), "127.0.0.1"]
        run(*command, "--verify-hostname", "localhost", "--x509cafile", place.ca(), data=b"")
        run(*command, "--verify-hostname", "other.test", "--x509cafile", place.ca(), data=b"", status=1)
        run(*command, "--verify-hostname", "localhost", data=b"", status=1)


@test
def a_server_takes_a_certificate_of_a_client(place):
    place.cert("localhost")
    place.cert("--client", "alice@example.test")
    subject = run("openssl", "x509", "-in", place.path("alice@example.test-client.pem"), "-noout", "-subject", "-ext",
                  "subjectAltName")[1]
    assert "CN = alice@example.test" in subject and "email:alice@example.test" in subject, subject
    verify(place, "alice@example.test-client.pem", "-purpose", "sslclient")
    verify(place, "alice@example.test-client.pem", "-purpose", "sslserver", status=2)
    if not shutil.which("curl"):
        return
    with openssl_server(place, "-cert", "localhost.pem", "-key", "localhost-key.pem", "-Verify", "1",
                        "-verify_return_error", "-CAfile", place.ca()) as port:
        url = f"https://localhost:{port}/"
        common = ["curl", "-4sSf", "--noproxy", "*", "--cacert", place.ca(), url]
        run(*common, "--cert", place.path("alice@example.test-client.pem"), "--key",
            place.path("alice@example.test-client-key.pem"))
        assert run(*common, status=None)[0] != 0
        assert run(*common, "--cert", place.path("localhost.pem"), "--key", place.path("localhost-key.pem"),
                   status=None)[0] != 0


@test
def no_file_is_called_after_what_leads_elsewhere(place):
    os.makedirs(place.path("folder"))
    for name in ("../../x@a.test", "folder/x@a.test", "/x@a.test"):
        out, errors = place.cert("--client", name, status=2)
        assert not out and "--cert" in errors and "--key" in errors, errors
        place.cert("--client", "--cert", "folder/a.pem", name, status=2)
        place.cert("--client", "--key", "folder/a-key.pem", name, status=2)
    assert place.names() == ["data", "folder"] and os.listdir(place.path("folder")) == []
    place.cert("--client", "--cert", "a.pem", "--key", "a-key.pem", "a/b@a.test")
    assert place.names() == ["a-key.pem", "a.pem", "data", "folder"]


# -- looking --

@test
def show_tells_what_a_chain_says(place):
    place.cert("localhost", "*.example.test", "::1")
    out, errors = place.cert("--show", "localhost.pem")
    assert not errors and out.startswith("localhost.pem: 1 certificate\n1. (known by its names)\n"), out
    for wanted in ("for +localhost, \\*.example.test, ::1\n", "valid +from \\S+ to \\S+, 89 more days\n",
                   "for use by +TLS servers\n", "signed by +CN=Weft development authority \\w+, which is not in the chain",
                   "key +EC P-256\n", "number +[0-9a-f]{40}\n", "SHA-256 +[0-9a-f]{64}\n"):
        assert re.search(wanted, out), f"{wanted}\n{out}"
    digest = run("openssl", "x509", "-in", place.path("localhost.pem"), "-noout", "-fingerprint", "-sha256")[1]
    assert digest.split("=")[1].strip().replace(":", "").lower() in out
    both = read(place.path("localhost.pem")) + read(place.ca()) + read(place.path("localhost-key.pem"))
    out = place.cert("--show", "-", data=both)[0]
    assert "2 certificates, and the private key of the first" in out and "the next (" in out and "itself (" in out, out
    assert "authorities (with 0 below it)" in out


@test
def show_says_what_is_wrong(place):
    folder = os.path.join(BUILD, "tests", "certificates", "made")
    if os.path.exists(os.path.join(folder, "manifest.tsv")):
        for row, said in (("expired", "EXPIRED, "), ("not-yet", "NOT YET, in "), ("wrong-intermediate", "NOT BY THE NEXT"),
                          ("self-signed", "itself"), ("name-nul", "server.test?.evil.test"), ("use-code", "other uses"),
                          ("name-none", "no name"), ("name-of-uri", "URI (not shown)"), ("bad-time", "long ago")):
            out = place.cert("--show", os.path.join(folder, f"{row}.pem"))[0]
            assert said in out, f"{row}: {out}"
    for text, said in ((b"", "no certificate"), (b"\n-----BEGIN CERTIFICATE-----\nAAAA\n", "line 2"),
                       (os.urandom(1000), "no certificate"), (b"a" * (1 << 20) + b"a", "File too large")):
        errors = place.cert("--show", "-", data=text, status=1)[1]
        assert errors.startswith("weft cert: -: ") and said in errors, errors
    errors = place.cert("--show", "nowhere.pem", status=1)[1]
    assert errors == "weft cert: nowhere.pem: No such file or directory\n"
    assert "Is a directory" in place.cert("--show", ".", status=1)[1]


@test
def trust_says_how_and_changes_nothing(place):
    errors = place.cert("--trust", status=1)[1]
    assert "no authority" in errors and "weft cert localhost" in errors
    assert place.names() == []
    place.cert("localhost")
    out, errors = place.cert("--trust")
    assert not errors and f"curl --cacert {place.ca()} " in out and "update-ca-certificates" in out
    place.cert("--dir", "it's mine", "--force", "localhost")
    assert "curl --cacert 'it'\\''s mine/authority.pem' https" in place.cert("--trust", "--dir", "it's mine")[0]


# -- what goes wrong --

@test
def usage_is_told(place):
    for arguments, said in ((["--cert", "a", "localhost", "--key", "a"], "same file"), ([], "for which names"),
                            (["--show", "x", "localhost"], "exclude each other"), (["--trust", "--show", "x"], "exclude"),
                            (["--trust", "--client"], "go with a NAME"), (["--days", "0", "localhost"], "--days"),
                            (["--days", "826", "localhost"], "825"), (["--type", "dsa", "localhost"], "p256")):
        errors = place.cert(*arguments, status=2)[1]
        assert said in errors and errors.count("\n") == 1, errors
    assert place.names() == []


@test
def a_name_that_cannot_be_leaves_nothing_behind(place):
    for name in ("https://localhost", "*.test", "a/b", "10.0.0.0/8", "b\u00fccher.test", "\x1b[2J"):
        errors = place.cert("localhost", name, status=1)[1]
        assert errors.count("\n") == 1 and "\x1b" not in errors, errors
        assert place.names() == ["data"] and os.listdir(place.authority) == ["lock"], name
    errors = place.cert("--only", "*.test", "localhost", status=1)[1]
    assert "'*.test'" in errors


@test
def half_an_authority_is_no_authority(place):
    place.cert("localhost")
    for name, other in (("authority.pem", "authority-key.pem"), ("authority-key.pem", "authority.pem")):
        path = os.path.join(place.authority, name)
        os.rename(path, path + ".away")
        errors = place.cert("other.test", status=1)[1]
        assert f"holds {other} but no {name}" in errors and not os.path.exists(path), errors
        os.rename(path + ".away", path)
    place.cert("other.test")


@test
def an_authority_that_cannot_be_used_is_named(place):
    place.cert("localhost")
    key = os.path.join(place.authority, "authority-key.pem")
    whole, leaf, leaf_key = read(key), read(place.path("localhost.pem")), read(place.path("localhost-key.pem"))
    for path, text, said in ((key, b"garbage", "no private key"), (key, leaf_key, "does not belong"),
                             (key, whole[:80], "line 1"), (place.ca(), b"garbage", "no certificate")):
        before = read(path)
        with open(path, "wb") as file:
            file.write(text)
        errors = place.cert("other.test", status=1)[1]
        assert errors.startswith(f"weft cert: {path}: ") and said in errors, errors
        with open(path, "wb") as file:
            file.write(before)
    with open(place.ca(), "wb") as file:
        file.write(leaf)
    with open(key, "wb") as file:
        file.write(leaf_key)
    errors = place.cert("other.test", status=1)[1]
    assert place.ca() in errors and "no authority" in errors, errors


@test
def places_that_cannot_be_written_are_named(place):
    errors = place.cert("--cert", "no/folder/a.pem", "localhost", status=1)[1]
    assert errors.startswith("weft cert: no/folder/a.pem: No such file"), errors
    assert place.names() == ["data"] and os.listdir(place.authority) == ["lock"]
    os.mkdir(place.path("folder"))
    errors = place.cert("--force", "--cert", "folder", "localhost", status=1)[1]
    assert errors.startswith("weft cert: folder: "), errors
    assert os.listdir(place.path("folder")) == []
    assert not [name for name in place.names() if name.startswith(".")], place.names()
    with open(place.path("file"), "wb"):
        pass
    errors = place.cert("--dir", "file", "localhost", status=1)[1]
    assert errors.startswith("weft cert: file: Not a directory"), errors
    errors = place.cert("--dir", "file/below", "localhost", status=1)[1]
    assert "Not a directory" in errors, errors


@test
def the_folder_of_the_user_is_found(place):
    home = place.path("home")
    for env, folder in (({"XDG_DATA_HOME": "", "HOME": home}, f"{home}/.local/share/weft"),
                        ({"XDG_DATA_HOME": "relative", "HOME": home}, f"{home}/.local/share/weft")):
        place.env = env
        out, _ = place.cert("--force", "localhost")
        assert folder in out or "authority" not in out, out
        assert os.path.exists(f"{folder}/authority.pem")
    place.env = {"XDG_DATA_HOME": "", "HOME": ""}
    errors = place.cert("localhost", status=2)[1]
    assert "--dir" in errors


def main():
    failed = 0
    if not shutil.which("openssl"):
        print("skipped: openssl is not installed")
        sys.exit(77)
    chosen = [function for function in TESTS if not sys.argv[1:] or function.__name__ in sys.argv[1:]]
    for function in chosen:
        with tempfile.TemporaryDirectory(prefix="peers-", dir=BUILD) as root:
            try:
                function(Place(os.path.realpath(root)))
            except Exception:  # the others are still worth trying
                failed += 1
                print(f"FAIL  {function.__name__}")
                traceback.print_exc(file=sys.stdout)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
