# SPDX-License-Identifier: MIT
"""Python programs on Weft's loop.

asyncio:  asyncio.set_event_loop_policy(weft.EventLoopPolicy()), or weft.new_event_loop() for one loop
Twisted:  weft.reactor.install(), before twisted.internet.reactor is imported
others:   weft.Poll where they use select.epoll, weft.Selector where they use selectors

A weft.Deferred is a deferred of Weft's: asyncio awaits it, and makes one of a Future.
"""
import asyncio
import selectors

from weft import _weft
from weft._weft import Poll

__all__ = ["Deferred", "EventLoopPolicy", "Poll", "Selector", "new_event_loop"]


class Selector(selectors.EpollSelector):
    """A selector that keeps the contract of EpollSelector, to the letter since it is one: on Weft's loop."""

    _selector_cls = Poll

    @property
    def poll(self):
        """The Poll that it waits in."""
        return self._selector


class Deferred(_weft.Deferred):
    """A deferred of Weft's on the loop of a Poll. What it was fired with, or what it failed with, is its result.

    It belongs to that loop: when the Poll is closed it fails with CancelledError, if it has no result by then."""

    def as_future(self, loop=None):
        """A Future of `loop` (the running one) with its result. Cancelling that cancels the deferred."""
        future = (loop or asyncio.get_running_loop()).create_future()

        def settle(_):
            if future.done():
                return
            try:
                future.set_result(self.result())
            except asyncio.CancelledError:
                future.cancel()
            except StopIteration as error:  # which no Future takes
                future.set_exception(RuntimeError(f"the deferred failed with {error!r}"))
            except BaseException as error:
                future.set_exception(error)

        self.add_done_callback(settle)
        future.add_done_callback(lambda _: self.cancel() if future.cancelled() else None)
        return future

    def __await__(self):
        return (yield from self.as_future())

    @classmethod
    def from_future(cls, future, poll=None):
        """A deferred with the result of a Future or a Task, on the Poll of its loop. Cancelling it cancels that, and does
        not wait for what becomes of it."""
        if poll is None:
            poll = getattr(future.get_loop()._selector, "poll", None)
        deferred = cls(poll, lambda _: future.cancel())

        def settle(_):
            error = asyncio.CancelledError() if future.cancelled() else future.exception()
            if deferred.done():
                return
            if error is not None:
                deferred.fail(error)
            else:
                deferred.fire(future.result())

        future.add_done_callback(settle)
        return deferred


def new_event_loop():
    """An event loop of asyncio that waits in Weft's."""
    return asyncio.SelectorEventLoop(Selector())


class EventLoopPolicy(asyncio.DefaultEventLoopPolicy):
    """Lets asyncio make its loops with new_event_loop()."""

    def _loop_factory(self):
        return new_event_loop()
