/* SPDX-License-Identifier: MIT */
/* `weft cert --trust`: what others do to trust an authority. Nothing is done here, for most of it takes root. */
#include "cert.h"

#include <stdio.h>
#include <string.h>

/* A word of a shell's, in quotes if it needs them. */
static void print_word(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,:@";

    if (word[0] && word[strspn(word, plain)] == '\0') {
        fputs(word, stdout);
        return;
    }
    fputc('\'', stdout);
    for (; *word; word++)
        if (*word == '\'')
            fputs("'\\''", stdout);
        else
            fputc(*word, stdout);
    fputc('\'', stdout);
}

/* Prints @text with the path in place of each "%". */
static void print_with(const char *text, const char *path)
{
    for (; *text; text++)
        if (*text == '%')
            print_word(path);
        else
            fputc(*text, stdout);
}

void cert_trust(const char *path)
{
    static const char text[] =
        "The authority is in %. Its private key, beside it, stays where it is.\n"
        "\n"
        "One program:\n"
        "  curl --cacert % https://localhost:8443/\n"
        "  SSL_CERT_FILE=% PROGRAM            (OpenSSL's, and Python: these then trust nothing else)\n"
        "  NODE_EXTRA_CA_CERTS=% node ...\n"
        "  REQUESTS_CA_BUNDLE=% python3 ...   (Python's requests)\n"
        "\n"
        "The system:\n"
        "  Debian, Ubuntu: sudo cp % /usr/local/share/ca-certificates/weft.crt && sudo update-ca-certificates\n"
        "  Fedora:         sudo cp % /etc/pki/ca-trust/source/anchors/weft.pem && sudo update-ca-trust\n"
        "  Arch:           sudo trust anchor --store %\n"
        "  macOS:          security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db %\n"
        "  Windows:        certutil -user -addstore Root %\n"
        "\n"
        "Browsers with a store of their own:\n"
        "  Chromium on Linux: certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n weft -i %   (from libnss3-tools)\n"
        "  Firefox: Settings, Certificates, View Certificates, Authorities, Import\n"
        "\n"
        "Whoever has its key can pass for every server to whoever trusts it. When you no longer need it, take it out\n"
        "again there, and remove both files.\n";

    print_with(text, path);
}
