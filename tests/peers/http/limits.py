#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One limit on connections for a whole server, however many workers and addresses it has. Attack rows by ID in the
names of the tests."""
import kit
from faultkit import SMALL, Site, answered, ask


def check_limit(ports, site, limit):
    inside = []
    for number in range(limit):
        inside.append(ask(ports[number % len(ports)], "/small"))
    for connection in inside:
        assert connection.response().body == SMALL
    outside = [ask(ports[number % len(ports)], "/small") for number in range(12)]
    for connection in inside:  # (and so every worker has had the time to take one too many)
        assert connection.request(target="/small").body == SMALL
    assert all(connection.silent() for connection in outside)
    while outside:
        inside.pop().close()
        kit.eventually("one more is served", lambda: any(not connection.silent() for connection in outside))
        served = [connection for connection in outside if connection.buffer]
        assert len(served) == 1, f"{len(served)} took the place of one"
        assert served[0].response().body == SMALL
        outside.remove(served[0])
        for connection in inside:
            assert connection.request(target="/small").body == SMALL
        assert all(connection.silent() for connection in outside)
        inside.insert(0, served[0])
    for connection in inside:
        connection.close()
    for port in ports:
        kit.eventually("there is room again", lambda port=port: answered(port))


def test_el_28_four_workers_have_five_connections_in_all():
    with Site("--workers", "4", "--max-connections", "5", size=0, watch=False) as site:
        check_limit([site.port], site, 5)


def test_el_28_two_addresses_have_three_connections_in_all():
    with Site("--workers", "3", "--max-connections", "3", "--listen", "0", size=0, watch=False, listeners=2) as site:
        ports = [int(url.rstrip("/").rsplit(":", 1)[1]) for url in site.server.urls]
        assert len(set(ports)) == 2
        check_limit(ports, site, 3)


def test_el_28_connections_of_one_address_are_counted_on_all_workers():
    with Site("--workers", "4", "--max-per-address", "3", size=0, watch=False) as site:
        three = [ask(site.port, "/small") for _ in range(3)]
        for connection in three:
            assert connection.response().body == SMALL
        for _ in range(12):
            assert not answered(site.port)
        three[0].close()
        kit.eventually("there is room again", lambda: answered(site.port))
        for connection in three:
            connection.close()


kit.main(globals())
