#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: check.py FOLDER

Whether the certificates that make.py made are wrong in the way that its table says, and in no other: OpenSSL's
handshake (through Python), GnuTLS' certtool and the openssl command are asked. What GnuTLS sees otherwise stands in
GNUTLS."""
import os
import re
import shutil
import ssl
import subprocess
import sys

# As openssl/x509_vfy.h numbers them.
CODES = {"OK": 0, "CERT_SIGNATURE_FAILURE": 7, "CERT_NOT_YET_VALID": 9, "CERT_HAS_EXPIRED": 10,
         "ERROR_IN_CERT_NOT_AFTER_FIELD": 14, "DEPTH_ZERO_SELF_SIGNED_CERT": 18, "SELF_SIGNED_CERT_IN_CHAIN": 19,
         "UNABLE_TO_GET_ISSUER_CERT_LOCALLY": 20, "INVALID_CA": 79, "PATH_LENGTH_EXCEEDED": 25, "INVALID_PURPOSE": 26,
         "UNHANDLED_CRITICAL_EXTENSION": 34, "PERMITTED_VIOLATION": 47, "EXCLUDED_VIOLATION": 48,
         "HOSTNAME_MISMATCH": 62, "IP_ADDRESS_MISMATCH": 64, "EE_KEY_TOO_SMALL": 66, "CA_MD_TOO_WEAK": 68}
# What certtool takes: a subject where there is no name of a host, any use of a key, and RSA with 1024 bits unless its
# level of security is raised.
GNUTLS = {"name-in-subject": "good", "use-key": "good", "weak-key": "good"}

passed = failed = 0


def expect(name, what, found, wanted):
    global passed, failed
    if found == wanted:
        passed += 1
    else:
        failed += 1
        print(f"FAIL  {name}: {what}: {found!r}, where {wanted!r} was expected")


def rows(folder):
    with open(os.path.join(folder, "manifest.tsv"), encoding="utf-8") as file:
        columns = file.readline().lstrip("# ").rstrip("\n").split("\t")
        return [dict(zip(columns, line.rstrip("\n").split("\t"))) for line in file]


# -- OpenSSL's handshake --

def handshake(client, server):
    """What the first of them says that fails, or None."""
    for _ in range(10):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError as error:
                return side, error
    return None


def code_of(folder, row):
    """The number of what verification says. The side that shows the certificate takes whatever key it has."""
    shows_server = row["role"] == "server"
    shows = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if shows_server else ssl.PROTOCOL_TLS_CLIENT)
    looks = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if shows_server else ssl.PROTOCOL_TLS_SERVER)
    for context in (shows, looks):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    shows.set_ciphers("DEFAULT:@SECLEVEL=0")
    own = "" if shows_server else "good"
    looks.set_ciphers("DEFAULT:@SECLEVEL=2")
    if own:
        looks.load_cert_chain(f"{folder}/{own}.pem", f"{folder}/{own}-key.pem")
    shows.load_cert_chain(f"{folder}/{row['name']}.pem", f"{folder}/{row['name']}-key.pem")
    looks.load_verify_locations(f"{folder}/authority.pem")
    looks.verify_mode = ssl.CERT_REQUIRED
    if shows_server:
        looks.hostname_checks_common_name = False
        looks.check_hostname = True
    to_looks, to_shows = ssl.MemoryBIO(), ssl.MemoryBIO()
    looking = looks.wrap_bio(to_looks, to_shows, server_side=not shows_server,
                             server_hostname=row["host"] if shows_server else None)
    showing = shows.wrap_bio(to_shows, to_looks, server_side=shows_server)
    ended = handshake(*((looking, showing) if shows_server else (showing, looking)))
    if ended is None:
        return 0
    side, error = ended
    # The other side of a client's certificate hears of it by an alert only.
    while side is showing and not isinstance(error, ssl.SSLCertVerificationError):
        try:
            looking.do_handshake()
            return str(error)
        except ssl.SSLCertVerificationError as better:
            error = better
        except ssl.SSLError:
            return str(error)
    return error.verify_code if isinstance(error, ssl.SSLCertVerificationError) else str(error)


# -- the openssl command: staples --

def staple_verdict(folder, row):
    """What `openssl ocsp` says of the staple, in a word of the table."""
    name = row["name"]
    parts = re.findall("-----BEGIN.*?END CERTIFICATE-----\n", read(f"{folder}/{name}.pem"), re.S)
    for file, part in ((".leaf.pem", parts[0]), (".above.pem", parts[1])):
        with open(f"{folder}/{file}", "w", encoding="utf-8") as out:
            out.write(part)
    done = subprocess.run(["openssl", "ocsp", "-respin", f"{folder}/{name}.ocsp", "-issuer", f"{folder}/.above.pem",
                           "-cert", f"{folder}/.leaf.pem", "-CAfile", f"{folder}/authority.pem", "-no_nonce",
                           "-verify_other", f"{folder}/.above.pem"], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    for pattern, word in [(r"Responder Error|Error (?:querying|parsing|reading)|no response", "staple-malformed"),
                          (r"Response Verify Failure.*signature", "staple-signature"),
                          (r"Response Verify Failure", "staple-responder"),
                          (r"No Status found", "staple-serial"), (r"WARNING: Status times invalid", "staple-time"),
                          (r": revoked", "revoked"), (r": unknown", "staple-status"), (r": good", "-")]:
        if re.search(pattern, said, re.S):
            return word
    return said


# -- GnuTLS --

def certtool_verdict(folder, row):
    """Whether certtool verifies the chain, without its name: "good", "bad"."""
    done = subprocess.run(["certtool", "--verify", "--load-ca-certificate", f"{folder}/authority.pem", "--infile",
                           f"{folder}/{row['name']}.pem", "--verify-purpose",
                           "1.3.6.1.5.5.7.3.1" if row["role"] == "server" else "1.3.6.1.5.5.7.3.2",
                           *(["--verify-hostname", row["host"]] if row["role"] == "server" else [])],
                          capture_output=True, text=True, check=False)
    return "good" if done.returncode == 0 else "bad"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = sys.argv[1]
    if not os.path.exists(f"{folder}/manifest.tsv"):
        print("skipped: there are no certificates; is openssl installed?")
        sys.exit(77)
    has_certtool = shutil.which("certtool")
    for row in rows(folder):
        name = row["name"]
        expect(name, "a handshake of OpenSSL", code_of(folder, row), CODES[row["code"].replace("-", "OK")])
        if row["staple"] == "yes":
            expect(name, "openssl ocsp", staple_verdict(folder, row), row["reason"])
        if has_certtool and row["staple"] == "no":
            expect(name, "certtool", certtool_verdict(folder, row), GNUTLS.get(name, row["verdict"]))
    print(f"{passed} passed, {failed} failed" + ("" if has_certtool else "; certtool is not installed"))
    sys.exit(failed > 0)


main()
