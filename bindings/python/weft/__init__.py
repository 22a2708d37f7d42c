# SPDX-License-Identifier: MIT
"""Python programs on Weft's loop.

asyncio:  asyncio.set_event_loop_policy(weft.EventLoopPolicy()), or weft.new_event_loop() for one loop
Twisted:  weft.reactor.install(), before twisted.internet.reactor is imported
others:   weft.Poll where they use select.epoll, weft.Selector where they use selectors
"""
import asyncio
import selectors

from weft._weft import Poll

__all__ = ["EventLoopPolicy", "Poll", "Selector", "new_event_loop"]


class Selector(selectors.EpollSelector):
    """A selector that keeps the contract of EpollSelector, to the letter since it is one: on Weft's loop."""

    _selector_cls = Poll


def new_event_loop():
    """An event loop of asyncio that waits in Weft's."""
    return asyncio.SelectorEventLoop(Selector())


class EventLoopPolicy(asyncio.DefaultEventLoopPolicy):
    """Lets asyncio make its loops with new_event_loop()."""

    def _loop_factory(self):
        return new_event_loop()
