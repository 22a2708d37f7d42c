# SPDX-License-Identifier: MIT
"""Certificates and OCSP responses byte by byte (X.690, RFC 5280, RFC 6960), so that each may be wrong in just one way.
Keys and signatures are made by the openssl command."""
import base64
import hashlib
import subprocess


def run(*command, data=None):
    return subprocess.run(["openssl", *command], input=data, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE).stdout


# -- DER --

def der(tag, *parts):
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def sequence(*parts):
    return der(0x30, *parts)


def explicit(number, *parts):
    return der(0xa0 | number, *parts)


def integer(value):
    return der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def boolean(value):
    return der(1, b"\xff" if value else b"\0")


def octets(data):
    return der(4, data)


def bits(data, unused=0):
    return der(3, bytes([unused]), data)


def oid(text):
    first, second, *rest = map(int, text.split("."))
    out = bytes([first * 40 + second])
    for number in rest:
        group = [number & 127]
        while number > 127:
            number >>= 7
            group.append(0x80 | number & 127)
        out += bytes(reversed(group))
    return der(6, out)


NULL = der(5)


def time(text):
    """Of "20010203040506Z", or of what is no time at all. RFC 5280 §4.1.2.5: in two digits until 2049."""
    return der(0x17, text[2:].encode()) if text < "2050" and text[:1].isdigit() else der(0x18, text.encode())


def name(common_name):
    """A subject of one common name, or of none."""
    if not common_name:
        return sequence()
    return sequence(der(0x31, sequence(oid("2.5.4.3"), der(0x0c, common_name.encode()))))


def pem(label, data):
    text = base64.b64encode(data).decode()
    body = "".join(text[at:at + 64] + "\n" for at in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{body}-----END {label}-----\n"


# -- keys --

class Key:
    """A private key: `text` is its PEM, `spki` its public half in DER, `public` what of that an OCSP request hashes."""

    OPTIONS = {"ec": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
               "p384": ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
               "rsa": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
               "rsa1024": ["RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
               "ed25519": ["ED25519"]}
    SIGNATURES = {("ec", "sha256"): sequence(oid("1.2.840.10045.4.3.2")),
                  ("ec", "sha1"): sequence(oid("1.2.840.10045.4.1")),
                  ("rsa", "sha256"): sequence(oid("1.2.840.113549.1.1.11"), NULL)}

    def __init__(self, folder, file, kind="ec"):
        self.kind, self.path = kind, f"{folder}/{file}"
        self.text = run("genpkey", "-algorithm", *self.OPTIONS[kind])
        with open(self.path, "wb") as out:
            out.write(self.text)
        self.spki = run("pkey", "-pubout", "-outform", "DER", data=self.text)
        self.public = self.spki[-65:]  # the point, of a key on P-256
        self.id = hashlib.sha1(self.spki).digest()

    def algorithm(self, digest):
        return self.SIGNATURES[self.kind.replace("p384", "ec"), digest]

    def sign(self, data, digest="sha256"):
        return run("dgst", "-" + digest, "-sign", self.path, data=data)


# -- extensions --

SERVER, CLIENT, CODE, OCSP = (f"1.3.6.1.5.5.7.3.{number}" for number in (1, 2, 3, 9))
DIGITAL_SIGNATURE, KEY_AGREEMENT, CERT_SIGN = 0x80, 0x08, 0x06


def extension(number, value, critical=False):
    return sequence(oid(number), boolean(True) if critical else b"", octets(value))


def basic(is_authority, path_length=None):
    inner = boolean(True) if is_authority else b""
    if path_length is not None:
        inner += integer(path_length)
    return extension("2.5.29.19", sequence(inner), True)


def key_usage(value):
    unused = (value & -value).bit_length() - 1
    return extension("2.5.29.15", bits(bytes([value]), unused), True)


def uses(*numbers):
    return extension("2.5.29.37", sequence(*map(oid, numbers)))


def dns(text):
    return der(0x82, text if isinstance(text, bytes) else text.encode())


def ip(*numbers):
    return der(0x87, bytes(numbers))


def uri(text):
    return der(0x86, text.encode())


def names(*general, critical=False):
    return extension("2.5.29.17", sequence(*general), critical)


def constraints(permitted=(), excluded=()):
    trees = [explicit(number, *[sequence(base) for base in bases])
             for number, bases in ((0, permitted), (1, excluded)) if bases]
    return extension("2.5.29.30", sequence(*trees), True)


def key_ids(key, issuer):
    return [extension("2.5.29.14", octets(key.id)), extension("2.5.29.35", sequence(der(0x80, issuer.id)))]


# -- certificates --

def serial_of(text):
    return int.from_bytes(b"\x40" + hashlib.sha256(text.encode()).digest()[:18], "big")


def certificate(*, serial, subject, key, issuer, signer, begins, ends, extensions, digest="sha256", spoil=False):
    """One in DER. `subject` and `issuer` are common names; `spoil` turns a bit of the signature."""
    to_sign = sequence(explicit(0, integer(2)), integer(serial), signer.algorithm(digest), name(issuer),
                       sequence(time(begins), time(ends)), name(subject), key.spki, explicit(3, sequence(*extensions)))
    signature = bytearray(signer.sign(to_sign, digest))
    if spoil:
        signature[-1] ^= 1
    return sequence(to_sign, signer.algorithm(digest), bits(bytes(signature)))


# -- OCSP --

GOOD, UNKNOWN = der(0x80), der(0x82)
REVOKED = der(0xa1, der(0x18, b"20010101000000Z"), explicit(0, der(0x0a, b"\1")))


def long_time(text):
    return der(0x18, text.encode())


def ocsp(*, serial, status, issuer, issuer_key, responder, signer, this_update, next_update, chain=(), spoil=False):
    """A response in DER, of the responder of that name, which brings the certificates of `chain`."""
    about = sequence(sequence(oid("1.3.14.3.2.26"), NULL), octets(hashlib.sha1(name(issuer)).digest()),
                     octets(hashlib.sha1(issuer_key.public).digest()), integer(serial))
    single = sequence(about, status, long_time(this_update), explicit(0, long_time(next_update)))
    to_sign = sequence(explicit(1, name(responder)), long_time(this_update), sequence(single))
    signature = bytearray(signer.sign(to_sign))
    if spoil:
        signature[-1] ^= 1
    response = sequence(to_sign, signer.algorithm("sha256"), bits(bytes(signature)),
                        explicit(0, sequence(*chain)) if chain else b"")
    return sequence(der(0x0a, b"\0"), explicit(0, sequence(oid("1.3.6.1.5.5.7.48.1.1"), octets(response))))


OCSP_TRY_LATER = sequence(der(0x0a, b"\3"))
