#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: asyncio_suite.py [--all]

CPython's own tests of asyncio and of selectors (libpython3.11-testsuite), on its selector and on Weft's."""
import sys

import suitekit

# Those that make loops, and wait in them for descriptors, children and signals; the quick ones.
QUICK = ["events", "unix_events", "streams", "sock_lowlevel", "sendfile", "server"]
ALL = sorted(QUICK + """base_events buffered_proto context futures futures2 locks pep492 proactor_events protocols queues
    runners selector_events ssl sslproto subprocess taskgroups tasks threads timeouts transports waitfor""".split())
PREFIX = "test.test_asyncio.test_"

suitekit.need("test.test_asyncio", "test.test_selectors")
modules = [PREFIX + name for name in (ALL if "--all" in sys.argv else QUICK)]
if "--all" in sys.argv:
    modules.append("test.test_selectors")
suitekit.compare("run_unittest.py", [[module] for module in modules],
                 lambda name: next((m for m in modules if name.startswith(m + ".")), "(could not be set up)"), limit=600)
