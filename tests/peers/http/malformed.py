#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The suite of malformed requests (malformed.json says what a case is) against a running server: each case whole,
byte by byte, and split at random in five ways. The seed of the splits is printed; give it as the argument to repeat a
run. Attack rows H1-01 to H1-15, H1-19, H1-20, H1-29, H1-30: the member `row` of a case."""
import concurrent.futures
import json
import os
import random
import sys
import threading

import kit

SPLITS = 5
AT_ONCE = 24
SINGLY = 3000  # bytes of a long request that are sent one by one, at each of its ends
AFTER = b"GET /after HTTP/1.1\r\nHost: localhost\r\n\r\n"


def expand(part):
    """The bytes of a request or of a part of it."""
    if isinstance(part, str):
        return part.encode("latin-1")
    if isinstance(part, list):
        return b"".join(expand(inner) for inner in part)
    return expand(part["repeat"]) * part["times"]


def whole(request, _):
    return [request]


def bytewise(request, _):
    single = [request[i:i + 1] for i in range(min(SINGLY, len(request)))]
    if len(request) <= SINGLY:
        return single
    end = max(len(request) - SINGLY, SINGLY)
    return [*single, request[SINGLY:end], *(request[i:i + 1] for i in range(end, len(request)))]


def split(request, chance):
    cuts = sorted({0, len(request), *(chance.randrange(len(request) + 1) for _ in range(chance.randint(1, 8)))})
    return [request[a:b] for a, b in zip(cuts, cuts[1:])]


def passed_by(port):
    """Everything that was sent before this has been seen by the server, which has one loop."""
    for _ in range(2):
        assert kit.fetch(port).status == 200


def send(connection, parts):
    for part in parts:
        if not connection.send_until_refused(part):
            return


def read_last(connection, case, request):
    response = connection.head()
    while response.status < 200:
        response = connection.head()
    response.body = connection.body(response, "HEAD" if request.startswith(b"HEAD ") else "GET")
    return response


def check(port, case, request, parts):
    with kit.Connection(port) as connection:
        send(connection, parts)
        if case["status"] == 0:
            passed_by(port)
            assert connection.silent(), "something was answered to an incomplete request"
            return
        for i in range(case.get("responses", 1) - 1):
            status = read_last(connection, case, request).status
            assert status == 200, f"response {i + 1} is {status}"
        response = read_last(connection, case, request)
        assert response.status == case["status"], f"status {response.status}, not {case['status']}"
        says_close = "close" in (response.get("Connection") or "").lower()
        if case["closes"] is None:
            return
        assert says_close == case["closes"], f"the response {'says' if says_close else 'does not say'} close"
        if case["closes"]:
            after, _ = connection.ended()
            assert not after, f"after the last response came {after[:200]!r}"
        else:
            connection.send(AFTER)
            response = connection.response()
            assert response.status == 200 and json.loads(response.body)["target"] == "/after", response


def run(port, case, seed, failures, lock):
    request = expand(case["request"])
    chance = random.Random(f"{seed} {case['id']}")
    for name, cut in [("whole", whole), ("byte by byte", bytewise), *[(f"split {i}", split) for i in range(SPLITS)]]:
        try:
            check(port, case, request, cut(request, chance))
        except Exception as failure:
            with lock:
                failures.append(f"{case['id']} ({case['name']}), {name}: {failure!r}")


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.SystemRandom().randrange(1 << 32)
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "malformed.json"), encoding="utf-8") as file:
        cases = json.load(file)["cases"]
    assert len(cases) >= 200
    print(f"seed {seed}", flush=True)
    failures, lock = [], threading.Lock()
    with kit.echo() as server, concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for future in [pool.submit(run, server.port, case, seed, failures, lock) for case in cases]:
            future.result()
    for failure in sorted(failures):
        print(f"FAIL  {failure}")
    print(f"{len(cases)} cases in {SPLITS + 2} ways: {len(failures)} failures")
    sys.exit(1 if failures else 0)


main()
