#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: twisted_suite.py [--all]

Twisted's own tests (python3-twisted), on epollreactor and on Weft's reactor: those of twisted.internet that try a
reactor from every side (ReactorBuilder); with --all the whole of `trial twisted`."""
import sys

import suitekit


def package(name):
    """twisted.web.test.test_http.SomeTests.test_it is of twisted.web.test; what cannot be imported has a name as long."""
    parts = name.split(".")
    return ".".join(parts[:parts.index("test") + 1] if "test" in parts else parts[:2])


def module(name):
    return ".".join(name.split(".")[:4])


suitekit.need("twisted.internet.test")
if "--all" in sys.argv:
    suitekit.compare("run_trial.py", [["twisted"]], package, limit=3000)
suitekit.compare("run_trial.py", [["twisted.internet.test"]], module, limit=600)
