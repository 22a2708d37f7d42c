#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: tools/malformed_to_c.py CASES.json OUTPUT.c

Turns the cases of tests/peers/http/malformed.json into the C table that tests/wire/http1/malformed.h declares. What
the members of a case mean is said at the top of the JSON file.
"""
import json
import sys

MEMBERS = {"id", "name", "row", "request", "status", "closes", "responses"}


def expand(part):
    """The bytes of a request or of a part of it."""
    if isinstance(part, str):
        return part.encode("latin-1")
    if isinstance(part, list):
        return b"".join(expand(inner) for inner in part)
    return expand(part["repeat"]) * part["times"]


def literal(data):
    """A C string literal of data, in lines."""
    lines = []
    for start in range(0, max(len(data), 1), 4096):
        text = ""
        for byte in data[start:start + 4096]:
            plain = 0x20 <= byte < 0x7F and chr(byte) not in '"\\?'
            text += chr(byte) if plain else f"\\{byte:03o}"
        lines.append(f'"{text}"')
    return "\n     ".join(lines)


def row(case):
    unknown = set(case) - MEMBERS
    if unknown:
        raise ValueError(f"{case['id']}: not understood: {', '.join(sorted(unknown))}")
    request = expand(case["request"])
    closes = {True: 1, False: 0, None: -1}[case["closes"]]
    return (f'    {{{literal(case["id"].encode())}, {case["status"]}, {closes}, {case.get("responses", 1)}, '
            f'{len(request)},\n     {literal(request)}}},\n')


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        cases = json.load(file)["cases"]
    if len({case["id"] for case in cases}) != len(cases):
        sys.exit(f"{sys.argv[1]}: two cases have the same id")
    with open(sys.argv[2], "w", encoding="ascii") as file:
        file.write('#include "wire/http1/malformed.h"\n\nconst struct malformed_case malformed_cases[] = {\n')
        file.writelines(row(case) for case in cases)
        file.write("};\n\nconst size_t malformed_count = sizeof malformed_cases / sizeof malformed_cases[0];\n")


if __name__ == "__main__":
    main()
