#!/usr/bin/python3.11
# SPDX-License-Identifier: MIT
"""Deferreds of Weft's in Python: fired by either, awaited by asyncio, made of its Futures, cancelled both ways."""
import asyncio
import errno
import gc
import sys
import time
import unittest
import weakref

import weft


class Deferreds(unittest.TestCase):
    """Without asyncio: on a Poll."""

    def setUp(self):
        self.poll = weft.Poll()
        self.addCleanup(self.poll.close)

    def unraisable(self):
        """What is told of from now on though nobody could be asked."""
        told = []
        before = sys.unraisablehook
        sys.unraisablehook = lambda args: told.append(args.exc_value)
        self.addCleanup(setattr, sys, "unraisablehook", before)
        return told

    def test_it_is_fired_once_and_has_its_value(self):
        deferred = weft.Deferred(self.poll)
        self.assertFalse(deferred.done())
        self.assertRaises(asyncio.InvalidStateError, deferred.result)
        deferred.fire([1])
        self.assertTrue(deferred.done())
        self.assertEqual(deferred.result(), [1])
        self.assertRaises(asyncio.InvalidStateError, deferred.fire, 2)
        self.assertRaises(asyncio.InvalidStateError, deferred.fail, ValueError())
        self.assertEqual(deferred.result(), [1])
        self.assertFalse(deferred.cancel())

    def test_it_may_fail_and_its_exception_is_the_same(self):
        deferred, error = weft.Deferred(self.poll), ValueError("x")
        deferred.fail(error)
        with self.assertRaises(ValueError) as caught:
            deferred.result()
        self.assertIs(caught.exception, error)
        self.assertRaises(TypeError, weft.Deferred(self.poll).fail, "no exception")

    def test_who_waits_is_called_at_once_and_in_order(self):
        deferred, called = weft.Deferred(self.poll), []
        deferred.add_done_callback(lambda it: called.append((1, it.result())))
        deferred.add_done_callback(lambda it: called.append((2, it.result())))
        deferred.fire("x")
        self.assertEqual(called, [(1, "x"), (2, "x")])
        deferred.add_done_callback(lambda it: called.append((3, it is deferred)))
        self.assertEqual(called[2:], [(3, True)])

    def test_what_a_callback_raises_is_told_and_harms_nobody(self):
        told, deferred, called = self.unraisable(), weft.Deferred(self.poll), []

        def fails(_):
            raise ValueError("by a callback")

        deferred.add_done_callback(fails)
        deferred.add_done_callback(called.append)
        deferred.fire()
        self.assertEqual([str(error) for error in told], ["by a callback"])
        self.assertEqual(called, [deferred])

    def test_cancelling_fails_it_and_forgives_who_fires_it_late(self):
        deferred = weft.Deferred(self.poll)
        self.assertTrue(deferred.cancel())
        self.assertRaises(asyncio.CancelledError, deferred.result)
        deferred.fire("too late")
        self.assertRaises(asyncio.InvalidStateError, deferred.fire, "once more")
        self.assertRaises(asyncio.CancelledError, deferred.result)

    def test_a_canceller_may_fire_it(self):
        deferred = weft.Deferred(self.poll, lambda it: it.fire("in time"))
        deferred.cancel()
        self.assertEqual(deferred.result(), "in time")
        called = []
        deferred = weft.Deferred(self.poll, canceller=called.append)
        deferred.cancel()
        self.assertEqual(called, [deferred])
        self.assertRaises(asyncio.CancelledError, deferred.result)
        self.assertRaises(asyncio.InvalidStateError, deferred.fire)

    def test_weft_fires_one_and_that_ends_poll(self):
        start, called = time.monotonic(), []
        deferred = weft.Deferred.later(self.poll, 0.02)
        deferred.add_done_callback(lambda it: called.append(it.result()))
        self.assertRaises(asyncio.InvalidStateError, deferred.fire)
        self.assertEqual(self.poll.poll(), [])
        self.assertGreaterEqual(time.monotonic() - start, 0.02)
        self.assertEqual(called, [None])
        never = weft.Deferred.later(self.poll, None)
        self.assertEqual(self.poll.poll(0.01), [])
        never.cancel()
        self.assertRaises(asyncio.CancelledError, never.result)

    def test_one_that_is_later_is_never_early(self):
        time.sleep(0.03)  # what was before does not count
        for seconds in (0.0005, 0.001, 0.0101):
            start = time.monotonic()
            deferred = weft.Deferred.later(self.poll, seconds)
            while not deferred.done():
                self.poll.poll()
            self.assertGreaterEqual(time.monotonic() - start, seconds)

    def test_the_end_of_the_loop_cancels_what_waits(self):
        cancelled = []
        one, two = weft.Deferred(self.poll, cancelled.append), weft.Deferred.later(self.poll, None)
        self.poll.close()
        self.assertEqual(cancelled, [one])
        self.assertRaises(asyncio.CancelledError, one.result)
        self.assertRaises(asyncio.CancelledError, two.result)
        self.assertRaises(ValueError, weft.Deferred, self.poll)
        self.assertRaises(ValueError, weft.Deferred.later, self.poll, 1)
        self.assertRaises(TypeError, weft.Deferred, object())

    def test_a_loop_that_is_dropped_ends_its_deferreds(self):
        poll = weft.Poll()
        one, two = weft.Deferred(poll, lambda it: it.fire("the end")), weft.Deferred(poll)
        del poll
        self.assertEqual(one.result(), "the end")
        self.assertRaises(asyncio.CancelledError, two.result)

    def test_closing_by_whoever_is_called_is_put_off(self):
        inner = weft.Deferred(self.poll)

        def closes(_):
            self.poll.close()
            self.assertTrue(self.poll.closed)
            self.assertFalse(inner.done(), "but its deferreds end when this has returned")

        deferred = weft.Deferred(self.poll)
        deferred.add_done_callback(closes)
        deferred.fire()
        self.assertTrue(inner.done())
        self.poll = poll = weft.Poll()
        inner = weft.Deferred(poll)
        later = weft.Deferred.later(poll, 0)
        later.add_done_callback(closes)
        self.assertRaises(ValueError, poll.poll)
        self.assertTrue(inner.done())

    def test_a_turn_is_not_taken_inside_of_another(self):
        raised = []

        def polls(_):
            try:
                self.poll.poll(0)
            except RuntimeError as error:
                raised.append(error)
            self.assertGreaterEqual(self.poll.fileno(), 0)

        later = weft.Deferred.later(self.poll, 0)
        later.add_done_callback(polls)
        self.poll.poll()
        self.assertEqual(len(raised), 1)

    def test_errors_of_the_system_come_back_as_they_were(self):
        for error in (FileNotFoundError(errno.ENOENT, "x"), TimeoutError(), MemoryError(), KeyError("x")):
            deferred = weft.Deferred(self.poll)
            deferred.fail(error)
            with self.assertRaises(type(error)) as caught:
                deferred.result()
            self.assertIs(caught.exception, error)

    def test_an_exception_that_nobody_looks_at_is_told(self):
        told = self.unraisable()
        deferred = weft.Deferred(self.poll)
        deferred.fail(ValueError("nobody looked"))
        del deferred
        gc.collect()
        self.assertEqual([str(error) for error in told], ["nobody looked"])
        deferred = weft.Deferred(self.poll)
        deferred.cancel()
        del deferred
        gc.collect()
        self.assertEqual(len(told), 1)

    def test_nothing_is_left_of_them(self):
        class Value:
            pass

        value = Value()
        gone = weakref.ref(value)
        deferred = weft.Deferred(self.poll, lambda _: value)
        deferred.value = deferred  # (it is a class in Python)
        deferred.fire(value)
        del deferred, value
        gc.collect()
        self.assertIsNone(gone())


class WithFutures(unittest.TestCase):
    """With asyncio on Weft's loop."""

    def run_main(self, main):
        with asyncio.Runner(loop_factory=weft.new_event_loop) as runner:
            return runner.run(main())

    @staticmethod
    def poll():
        return asyncio.get_running_loop()._selector.poll

    def test_a_deferred_is_awaited(self):
        async def main():
            deferred = weft.Deferred(self.poll())
            asyncio.get_running_loop().call_soon(deferred.fire, "a value")
            first, second = await asyncio.gather(deferred, deferred.as_future())
            return first, second, await deferred

        self.assertEqual(self.run_main(main), ("a value",) * 3)

    def test_one_that_weft_fires_is_awaited(self):
        async def main():
            start = time.monotonic()
            await asyncio.gather(*(weft.Deferred.later(self.poll(), seconds) for seconds in (0.01, 0.02, 0)))
            return time.monotonic() - start

        self.assertGreaterEqual(self.run_main(main), 0.02)

    def test_its_exception_is_raised(self):
        async def main():
            for error in (ValueError("x"), StopIteration("y")):
                deferred = weft.Deferred(self.poll())
                deferred.fail(error)
                try:
                    await deferred
                except (ValueError, RuntimeError) as caught:
                    yielded.append(str(caught))

        yielded = []
        self.run_main(main)
        self.assertEqual(yielded, ["x", "the deferred failed with StopIteration('y')"])

    def test_cancelling_who_awaits_cancels_the_deferred(self):
        async def main():
            cancelled = []
            deferred = weft.Deferred(self.poll(), cancelled.append)
            task = asyncio.ensure_future(deferred.as_future())
            try:
                await asyncio.wait_for(task, 0.01)
            except TimeoutError:
                pass
            self.assertEqual(cancelled, [deferred])
            self.assertTrue(task.cancelled())
            self.assertRaises(asyncio.CancelledError, deferred.result)

        self.run_main(main)

    def test_cancelling_the_deferred_cancels_who_awaits(self):
        async def main():
            deferred = weft.Deferred(self.poll())
            future = deferred.as_future()
            deferred.cancel()
            self.assertTrue(future.cancelled())
            with self.assertRaises(asyncio.CancelledError):
                await deferred

        self.run_main(main)

    def test_a_future_becomes_a_deferred(self):
        async def main():
            async def work(value):
                await asyncio.sleep(0)
                if value < 0:
                    raise ValueError(value)
                return value

            good = weft.Deferred.from_future(asyncio.ensure_future(work(3)))
            bad = weft.Deferred.from_future(asyncio.ensure_future(work(-3)))
            self.assertEqual(await good, 3)
            with self.assertRaises(ValueError):
                await bad
            ready = asyncio.get_running_loop().create_future()
            ready.set_result("at once")
            self.assertEqual(await weft.Deferred.from_future(ready), "at once")

        self.run_main(main)

    def test_cancelling_the_deferred_cancels_its_future(self):
        async def main():
            async def work():
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    cancelled.append(True)
                    raise

            task = asyncio.ensure_future(work())
            deferred = weft.Deferred.from_future(task)
            await asyncio.sleep(0)
            deferred.cancel()
            self.assertTrue(deferred.done(), "it does not wait for what becomes of the task")
            await asyncio.wait([task])
            self.assertTrue(task.cancelled())

        cancelled = []
        self.run_main(main)
        self.assertEqual(cancelled, [True])

    def test_cancelling_the_future_cancels_its_deferred(self):
        async def main():
            future = asyncio.get_running_loop().create_future()
            deferred = weft.Deferred.from_future(future)
            future.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await deferred

        self.run_main(main)

    def test_there_and_back_is_the_same(self):
        async def main():
            deferred = weft.Deferred.later(self.poll(), 0.001)
            for _ in range(20):
                deferred = weft.Deferred.from_future(deferred.as_future())
            self.assertIsNone(await deferred)
            first = weft.Deferred(self.poll())
            last = first
            for _ in range(20):
                last = weft.Deferred.from_future(last.as_future())
            last.cancel()
            while not first.done():
                await asyncio.sleep(0)
            self.assertRaises(asyncio.CancelledError, first.result)

        self.run_main(main)

    def test_a_future_of_another_loop_is_refused(self):
        async def main():
            self.assertRaises(TypeError, weft.Deferred.from_future, asyncio.get_running_loop().create_future())

        asyncio.run(main())

    def test_the_end_of_the_loop_ends_it(self):
        async def main():
            kept.append(weft.Deferred(self.poll()))

        kept = []
        self.run_main(main)
        self.assertRaises(asyncio.CancelledError, kept[0].result)


if __name__ == "__main__":
    unittest.main()
