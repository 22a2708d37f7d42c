# SPDX-License-Identifier: MIT
"""A reactor for Twisted: what twisted.internet.epollreactor does, on Weft's loop.

Install it before anything imports twisted.internet.reactor:

    import weft.reactor
    weft.reactor.install()
"""
from twisted.internet import epollreactor, main, posixbase

from weft._weft import Poll

__all__ = ["WeftReactor", "install"]


class WeftReactor(epollreactor.EPollReactor):
    """EPollReactor keeps its books; Weft waits, in doPoll. Files that cannot be watched are polled, as there."""

    def __init__(self):  # not EPollReactor's, which would open an epoll
        self._poller = Poll()
        self._reads = set()
        self._writes = set()
        self._selectables = {}
        self._continuousPolling = posixbase._ContinuousPolling(self)
        posixbase.PosixReactorBase.__init__(self)


def install():
    """Makes a WeftReactor the reactor of this process."""
    reactor = WeftReactor()
    main.installReactor(reactor)
    return reactor
