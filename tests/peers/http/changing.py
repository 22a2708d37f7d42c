#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files and links that change while they are sent: the whole of one version, or an aborted connection. A bystander
is served all the while. Attack rows by ID in the names of the tests."""
import os
import threading

import kit
from faultkit import MIB, SMALL, Site, ask, begun, received


def test_a_file_that_is_truncated_while_it_is_sent():
    for left in [0, MIB, 32 * MIB]:
        with Site() as site:
            connection, length = begun(site.port)
            os.truncate(os.path.join(site.root, "big"), left)
            got, how = received(connection, length)
            assert how != "whole" and len(got) < length, (left, len(got), how)
            # Linux sends pages by reference, and a cut zeroes what lies behind it in them, also on its way.
            assert got[:left] == site.data[:left][:len(got)], left
            assert all(a in (0, b) for a, b in zip(got[left:], site.data[left:])), left
            connection.close()


def test_ranges_of_a_file_that_is_truncated_while_it_is_sent():
    with Site() as site:
        connection = ask(site.port, more="Range: bytes=0-9,10-40000000,50000000-60000000\r\n")
        response = connection.head()
        assert response.status == 206
        os.truncate(os.path.join(site.root, "big"), 32 * MIB)
        got, how = received(connection, int(response.get("Content-Length")))
        assert how != "whole", len(got)
        connection.close()


def test_a_file_that_is_replaced_or_removed_while_it_is_sent():
    for change in [lambda path: os.replace(os.path.join(os.path.dirname(path), "small"), path), os.remove]:
        with Site(watch=False) as site:
            connection, length = begun(site.port)
            change(os.path.join(site.root, "big"))
            got, how = received(connection, length)
            assert how == "whole" and kit.sha256(got) == kit.sha256(site.data)
            connection.close()


def test_a_file_that_grows_while_it_is_sent():
    with Site() as site:
        connection, length = begun(site.port)
        with open(os.path.join(site.root, "big"), "ab") as file:
            file.write(b"more" * 100_000)
        got, how = received(connection, length)
        assert how == "whole" and got == site.data
        assert connection.request(target="/small").body == SMALL
        connection.close()


def test_h1_23_symbolic_links_that_are_swapped():
    canary = b"canary\n"
    with kit.folder() as home:
        root = os.path.join(home, "root")
        kit.write(home, "outside/file", canary)
        kit.write(root, "inside/file", SMALL)
        over = threading.Event()

        def flip(name, inside, outside):
            path = os.path.join(root, name)
            while not over.is_set():
                for target in (inside, outside):
                    os.symlink(target, path + "~")
                    os.replace(path + "~", path)

        threads = [threading.Thread(target=flip, args=("file", "inside/file", "../outside/file")),
                   threading.Thread(target=flip, args=("folder", "inside", "../outside"))]
        with kit.web(root) as server, kit.Connection(server.port) as connection:
            for thread in threads:
                thread.start()
            try:
                seen = {}
                for i in range(6000):
                    response = connection.request(target=["/file", "/folder/file"][i % 2])
                    assert response.body != canary and response.status in (200, 404), response
                    seen[response.status] = seen.get(response.status, 0) + 1
            finally:
                over.set()
                for thread in threads:
                    thread.join(kit.PATIENCE)
        print(f"  {seen}")


kit.main(globals())
