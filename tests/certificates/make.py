#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: make.py FOLDER

Makes certificates, good ones and such as must be refused for one reason each, in a folder that is thrown away: private
keys are nothing that belongs in a repository. Of the row NAME of the table there are NAME.pem (what the peer sends: its
certificate and those above it, without the authority), NAME-key.pem, and perhaps NAME.ocsp (a stapled response, DER).
authority.pem is what is trusted, and other-authority.pem what is not.

manifest.tsv is the table, in lines of these columns, separated by tabs, after a line that begins with #:

    name     of the row
    role     whether a "server" or a "client" shows it
    verdict  "good" or "bad"
    reason   why it is bad, in one word; "-"
    code     what OpenSSL's verification says, without X509_V_ERR_; "OK"; "-" if only the staple is bad
    host     the name that the client asked for; "-" for a client
    staple   "yes" if there is a NAME.ocsp

Everything is valid from 2000 to 2049 unless the row says otherwise, so that it does not matter when it is used, nor in
which simulated year. A staple's age is not limited for the same reason. All rows but those about keys share one key."""
import os
import shutil
import sys

from der import (CERT_SIGN, CLIENT, CODE, DIGITAL_SIGNATURE, GOOD, KEY_AGREEMENT, OCSP, OCSP_TRY_LATER, REVOKED, SERVER,
                 UNKNOWN, Key, basic, certificate, constraints, dns, extension, ip, key_ids, key_usage, names, ocsp,
                 pem, serial_of, uri, uses)

BEGIN, END = "20000101000000Z", "20491231235959Z"
PAST, FUTURE = "20010101000000Z", "20480101000000Z"
UNHEARD = extension("1.3.6.1.4.1.99999.1", b"\x05\x00", True)
HOST = "server.test"


class Authority:
    def __init__(self, maker, subject, above=None, extensions=None, begins=BEGIN, ends=END, digest="sha256", key=None):
        self.subject, self.above = subject, above
        self.key = key or Key(maker.folder, maker.file(subject), "ec")
        signer = above or self
        extensions = extensions if extensions is not None else [basic(True), key_usage(CERT_SIGN)]
        self.der = certificate(serial=serial_of(subject), subject=subject, key=self.key, issuer=signer.subject,
                               signer=signer.key, begins=begins, ends=ends, digest=digest,
                               extensions=extensions + key_ids(self.key, signer.key))

    def chain(self):
        """From itself upwards, without what signs itself."""
        return [self.der, *self.above.chain()] if self.above else []


class Maker:
    def __init__(self, folder):
        self.folder, self.rows, self.keys = folder, [], {}

    def file(self, subject):
        return f".{subject.replace(' ', '-').lower()}.key"

    def key(self, kind):
        if kind not in self.keys:
            self.keys[kind] = Key(self.folder, f".{kind}.key", kind)
        return self.keys[kind]

    def write(self, name, data):
        with open(os.path.join(self.folder, name), "wb") as out:
            out.write(data if isinstance(data, bytes) else data.encode())

    def row(self, name, *, issuer, reason=None, code=None, host=HOST, role="server", general=None, kind="ec",
            subject="", begins=BEGIN, ends=END, digest="sha256", extensions=None, add=(), use=SERVER, usage=DIGITAL_SIGNATURE,
            chain=None, signer=None, spoil=False, staple=None):
        """One certificate and its line. `signer` signs in place of the issuer."""
        key = self.key(kind)
        signs = signer or (issuer.key if issuer else key)
        if extensions is None:
            extensions = [basic(False), key_usage(usage), uses(use), *key_ids(key, signs)]
            extensions += [names(*(general or [dns(HOST)]), critical=not subject)] if general != [] else []
        der = certificate(serial=serial_of(name), subject=subject, key=key,
                          issuer=issuer.subject if issuer else subject, signer=signs, begins=begins, ends=ends, digest=digest, extensions=[*extensions, *add],
                          spoil=spoil)
        above = chain if chain is not None else issuer.chain() if issuer else []
        self.write(f"{name}.pem", "".join(pem("CERTIFICATE", one) for one in [der, *above]))
        self.write(f"{name}-key.pem", key.text)
        if staple is not None:
            self.write(f"{name}.ocsp", staple)
        verdict = "bad" if reason else "good"
        self.rows.append([name, role, verdict, reason or "-", code or ("-" if reason else "OK"),
                          host if role == "server" else "-", "yes" if staple is not None else "no"])

    def finish(self):
        header = "# name role verdict reason code host staple".replace(" ", "\t").replace("#\t", "# ")
        self.write("manifest.tsv", "\n".join([header] + ["\t".join(row) for row in self.rows]) + "\n")


def good(make, root, middle):
    make.row("good", issuer=middle)
    make.row("good-direct", issuer=root)
    make.row("good-letters", issuer=middle, general=[dns("Server.TEST")])
    make.row("good-ipv4", issuer=middle, general=[ip(127, 0, 0, 1)], host="127.0.0.1")
    make.row("good-ipv6", issuer=middle, general=[ip(*[0] * 15, 1)], host="::1")
    make.row("good-wildcard", issuer=middle, general=[dns("*.example.test")], host="a.example.test")
    make.row("good-many", issuer=middle, general=[dns(f"host{number}.test") for number in range(50)] + [dns(HOST)])
    for kind in ("rsa", "p384", "ed25519"):
        make.row(f"good-{kind}", issuer=middle, kind=kind)


def times(make, root, middle):
    make.row("expired", issuer=middle, ends=PAST, reason="expired", code="CERT_HAS_EXPIRED")
    make.row("not-yet", issuer=middle, begins=FUTURE, reason="not-yet", code="CERT_NOT_YET_VALID")
    make.row("bad-time", issuer=middle, ends="never", reason="malformed", code="ERROR_IN_CERT_NOT_AFTER_FIELD")
    old = Authority(make, "Old intermediate", root, ends=PAST)
    make.row("expired-intermediate", issuer=old, reason="expired", code="CERT_HAS_EXPIRED")


def wrong_names(make, middle):
    def refused(name, *general, host=HOST, code="HOSTNAME_MISMATCH", subject=""):
        make.row(name, issuer=middle, general=list(general), host=host, reason="name", code=code, subject=subject)

    refused("name-other", dns("other.test"))
    refused("name-none", subject="somebody")
    refused("name-in-subject", subject=HOST)  # RFC 9525 §2: the subject does not count
    refused("name-of-uri", uri(f"https://{HOST}/"), subject=HOST)
    refused("name-empty", dns(""))
    refused("name-nul", dns(HOST.encode() + b"\0.evil.test"))
    refused("name-nul-wildcard", dns(b"*\0.server.test"))
    refused("name-suffix", dns("evil-server.test"))
    refused("name-below", dns("test"))
    refused("name-leading-dot", dns(".server.test"))
    refused("address-as-dns", dns("127.0.0.1"), host="127.0.0.1", code="IP_ADDRESS_MISMATCH")
    refused("address-other", ip(127, 0, 0, 2), host="127.0.0.1", code="IP_ADDRESS_MISMATCH")
    refused("address-in-subject", host="127.0.0.1", subject="127.0.0.1", code="IP_ADDRESS_MISMATCH")
    refused("address-wildcard", dns("*.0.0.1"), host="127.0.0.1", code="IP_ADDRESS_MISMATCH")
    refused("wildcard-partial", dns("f*.example.test"), host="foo.example.test")
    refused("wildcard-punycode", dns("xn--*.example.test"), host="xn--a.example.test")
    refused("wildcard-twice", dns("*.*.test"), host="a.b.test")
    refused("wildcard-second", dns("a.*.test"), host="a.b.test")
    refused("wildcard-suffix", dns("*.test"))
    refused("wildcard-alone", dns("*"), host="localhost")
    refused("wildcard-deep", dns("*.example.test"), host="a.b.example.test")
    refused("wildcard-apex", dns("*.example.test"), host="example.test")


def wrong_uses(make, root, middle):
    make.row("use-client", issuer=middle, use=CLIENT, reason="use", code="INVALID_PURPOSE")
    make.row("use-code", issuer=middle, use=CODE, reason="use", code="INVALID_PURPOSE")
    make.row("use-key", issuer=middle, kind="rsa", usage=CERT_SIGN, reason="use", code="INVALID_PURPOSE")
    client = Authority(make, "Intermediate for clients", root, [basic(True), key_usage(CERT_SIGN), uses(CLIENT)])
    make.row("use-client-intermediate", issuer=client, reason="use", code="INVALID_PURPOSE")
    make.row("critical-unknown", issuer=middle, add=[UNHEARD], reason="critical", code="UNHANDLED_CRITICAL_EXTENSION")
    strange = Authority(make, "Strange intermediate", root, extensions=[basic(True), key_usage(CERT_SIGN), UNHEARD])
    make.row("critical-unknown-intermediate", issuer=strange, reason="critical", code="UNHANDLED_CRITICAL_EXTENSION")


def wrong_chains(make, root, middle, other):
    make.row("self-signed", issuer=None, subject="self", reason="self-signed", code="DEPTH_ZERO_SELF_SIGNED_CERT")
    make.row("unknown-authority", issuer=other, reason="unknown", code="UNABLE_TO_GET_ISSUER_CERT_LOCALLY")
    make.row("unknown-authority-sent", issuer=other, chain=[other.der], reason="unknown",
             code="SELF_SIGNED_CERT_IN_CHAIN")
    make.row("missing-intermediate", issuer=middle, chain=[], reason="chain", code="UNABLE_TO_GET_ISSUER_CERT_LOCALLY")
    make.row("wrong-intermediate", issuer=middle, chain=[Authority(make, "Another intermediate", root).der],
             reason="chain", code="UNABLE_TO_GET_ISSUER_CERT_LOCALLY")
    make.row("forged", issuer=middle, signer=other.key, extensions=[basic(False), uses(SERVER), names(dns(HOST))],
             reason="signature", code="CERT_SIGNATURE_FAILURE")
    make.row("spoiled", issuer=middle, spoil=True, reason="signature", code="CERT_SIGNATURE_FAILURE")


def wrong_signers(make, root, middle):
    usual = [basic(True), key_usage(CERT_SIGN)]

    def refused(name, subject, extensions, code, reason="signer", above=root):
        make.row(name, issuer=Authority(make, subject, above, extensions), reason=reason, code=code)

    refused("signer-no-authority", "No authority", [basic(False), key_usage(CERT_SIGN)], "INVALID_CA")
    refused("signer-leaf", "A server", [basic(False), key_usage(DIGITAL_SIGNATURE), uses(SERVER), names(dns("a.test"))],
            "INVALID_CA")
    refused("signer-silent", "Silent", [key_usage(DIGITAL_SIGNATURE)], "INVALID_CA")
    refused("signer-no-signing", "No signing", [basic(True), key_usage(KEY_AGREEMENT)], "INVALID_CA")
    last = Authority(make, "Last intermediate", root, [basic(True, 0), key_usage(CERT_SIGN)])
    refused("path-too-long", "One too many", usual, "PATH_LENGTH_EXCEEDED", "path-length", last)
    allowed = Authority(make, "Constrained intermediate", root, [*usual, constraints(permitted=[dns("good.test")])])
    make.row("good-constrained", issuer=allowed, general=[dns("a.good.test")], host="a.good.test")
    make.row("constraints-outside", issuer=allowed, reason="constraints", code="PERMITTED_VIOLATION")
    make.row("constraints-outside-too", issuer=allowed, general=[dns("a.good.test"), dns(HOST)], reason="constraints",
             code="PERMITTED_VIOLATION")
    denied = Authority(make, "Excluding intermediate", root, [*usual, constraints(excluded=[dns("server.test")])])
    make.row("constraints-excluded", issuer=denied, reason="constraints", code="EXCLUDED_VIOLATION")
    numbers = Authority(make, "Intermediate for one network", root,
                        [*usual, constraints(permitted=[ip(10, 0, 0, 0, 255, 0, 0, 0)])])
    make.row("constraints-address", issuer=numbers, general=[ip(127, 0, 0, 1)], host="127.0.0.1", reason="constraints",
             code="PERMITTED_VIOLATION")


def weak(make, root, middle):
    make.row("weak-key", issuer=middle, kind="rsa1024", reason="weak-key", code="EE_KEY_TOO_SMALL")
    make.row("weak-signature", issuer=middle, digest="sha1", reason="weak-signature", code="CA_MD_TOO_WEAK")
    old = Authority(make, "Old-fashioned intermediate", root, digest="sha1")
    make.row("weak-signature-intermediate", issuer=old, reason="weak-signature", code="CA_MD_TOO_WEAK")


def clients(make, middle, other):
    def row(name, **rest):
        make.row(name, role="client", subject="A client", **{"use": CLIENT, "general": [dns("client.test")], **rest})

    row("client-good", issuer=middle)
    row("client-expired", issuer=middle, ends=PAST, reason="expired", code="CERT_HAS_EXPIRED")
    row("client-use-server", issuer=middle, use=SERVER, reason="use", code="INVALID_PURPOSE")
    row("client-self-signed", issuer=None, reason="self-signed", code="DEPTH_ZERO_SELF_SIGNED_CERT")
    row("client-unknown-authority", issuer=other, reason="unknown", code="UNABLE_TO_GET_ISSUER_CERT_LOCALLY")
    row("client-missing-intermediate", issuer=middle, chain=[], reason="chain",
        code="UNABLE_TO_GET_ISSUER_CERT_LOCALLY")


def staples(make, middle, other):
    def responder(subject, use):
        key = Key(make.folder, make.file(subject))
        der = certificate(serial=serial_of(subject), subject=subject, key=key, issuer=middle.subject, signer=middle.key,
                          begins=BEGIN, ends=END, extensions=[basic(False), key_usage(DIGITAL_SIGNATURE), uses(use),
                                                              *key_ids(key, middle.key)])
        return {"responder": subject, "signer": key, "chain": [der]}

    def row(name, status=GOOD, reason=None, about=None, **rest):
        usual = {"issuer": middle.subject, "issuer_key": middle.key, "responder": middle.subject, "signer": middle.key,
                 "this_update": BEGIN, "next_update": END}
        staple = ocsp(serial=serial_of(about or name), status=status, **{**usual, **rest})
        make.row(name, issuer=middle, reason=reason, staple=staple)

    row("staple-good")
    row("staple-good-delegated", **responder("Responder", OCSP))
    row("staple-revoked", REVOKED, "revoked")
    row("staple-unknown", UNKNOWN, "staple-status")
    row("staple-expired", next_update=PAST, reason="staple-time")
    row("staple-early", this_update=FUTURE, reason="staple-time")
    row("staple-of-another", about="good", reason="staple-serial")
    row("staple-forged", signer=other.key, reason="staple-signature")
    row("staple-spoiled", spoil=True, reason="staple-signature")
    row("staple-by-stranger", responder=other.subject, signer=other.key, chain=[other.der], reason="staple-responder")
    row("staple-by-server", reason="staple-responder", **responder("No responder", SERVER))
    make.row("staple-try-later", issuer=middle, staple=OCSP_TRY_LATER, reason="staple-malformed")
    make.row("staple-garbage", issuer=middle, staple=b"\x30\x03 garbage", reason="staple-malformed")
    make.row("staple-empty", issuer=middle, staple=b"", reason="staple-malformed")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    shutil.rmtree(sys.argv[1], ignore_errors=True)
    os.makedirs(sys.argv[1])
    make = Maker(sys.argv[1])
    root = Authority(make, "Test authority")
    middle = Authority(make, "Intermediate", root)
    other = Authority(make, "Another authority")
    make.write("authority.pem", pem("CERTIFICATE", root.der))
    make.write("other-authority.pem", pem("CERTIFICATE", other.der))
    good(make, root, middle)
    times(make, root, middle)
    wrong_names(make, middle)
    wrong_uses(make, root, middle)
    wrong_chains(make, root, middle, other)
    wrong_signers(make, root, middle)
    weak(make, root, middle)
    clients(make, middle, other)
    staples(make, middle, other)
    make.finish()


main()
