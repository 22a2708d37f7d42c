#!/usr/bin/python3.11
# SPDX-License-Identifier: MIT
"""What selectors and select.epoll promise, asked of both: of the interpreter's own, so that we know what is promised, and
of Weft's."""
import asyncio
import errno
import gc
import math
import os
import select
import selectors
import signal
import socket
import tempfile
import threading
import time
import unittest

import weft


class Selecting:
    """Every test of a class below has a selector, and what it opens is closed at its end."""

    make = None

    def setUp(self):
        self.selector = type(self).make()
        self.addCleanup(self.selector.close)

    def pair(self):
        ends = socket.socketpair()
        for end in ends:
            self.addCleanup(end.close)
            end.setblocking(False)
        return ends

    def ready(self, timeout=0):
        return {key.fd: events for key, events in self.selector.select(timeout)}

    def test_tells_what_is_wanted_and_ready(self):
        here, there = self.pair()
        self.selector.register(here, selectors.EVENT_READ, "data")
        self.assertEqual(self.ready(), {})
        there.send(b"x")
        ((key, events),) = self.selector.select(0)
        self.assertEqual((key.fileobj, key.fd, key.data, events), (here, here.fileno(), "data", selectors.EVENT_READ))
        self.assertEqual(self.ready(), {here.fileno(): selectors.EVENT_READ}, "it is told again until it is read")
        here.recv(1)
        self.assertEqual(self.ready(), {})

    def test_both_directions_and_changes(self):
        here, there = self.pair()
        there.send(b"x")
        both = selectors.EVENT_READ | selectors.EVENT_WRITE
        self.selector.register(here, both)
        self.assertEqual(self.ready(), {here.fileno(): both})
        for wanted in (selectors.EVENT_READ, selectors.EVENT_WRITE, both):
            self.selector.modify(here, wanted)
            self.assertEqual(self.ready(), {here.fileno(): wanted})
        self.selector.unregister(here)
        self.assertEqual(self.ready(), {})

    def test_the_end_and_an_error_are_what_is_wanted(self):
        here, there = self.pair()
        self.selector.register(here, selectors.EVENT_READ)
        there.close()
        self.assertEqual(self.ready(), {here.fileno(): selectors.EVENT_READ})
        reader, writer = os.pipe()
        self.selector.register(writer, selectors.EVENT_READ)  # which is how one learns that the reader has gone
        os.close(reader)
        self.assertEqual(self.ready().get(writer), selectors.EVENT_READ)
        self.selector.unregister(writer)
        os.close(writer)

    def test_what_cannot_be_registered_is_refused_and_leaves_nothing(self):
        here, _ = self.pair()
        self.selector.register(here, selectors.EVENT_READ)
        self.assertRaises(KeyError, self.selector.register, here, selectors.EVENT_WRITE)
        self.assertRaises(ValueError, self.selector.register, -1, selectors.EVENT_READ)
        self.assertRaises(ValueError, self.selector.register, "x", selectors.EVENT_READ)
        self.assertRaises(ValueError, self.selector.register, 77, 8)
        with tempfile.TemporaryFile() as file:
            self.assertRaises(PermissionError, self.selector.register, file, selectors.EVENT_READ)
        with self.assertRaises(OSError) as caught:
            self.selector.register(9999, selectors.EVENT_READ)
        self.assertEqual(caught.exception.errno, errno.EBADF)
        self.assertRaises(KeyError, self.selector.unregister, 9999)
        self.assertRaises(KeyError, self.selector.modify, 9999, selectors.EVENT_READ)
        self.assertEqual(list(self.selector.get_map()), [here.fileno()])

    def test_one_that_was_closed_is_unregistered_and_its_number_serves_another(self):
        here, _ = self.pair()
        other, there = self.pair()
        number = here.fileno()
        self.selector.register(here, selectors.EVENT_READ)
        here.close()
        self.assertEqual(self.ready(), {})
        self.assertEqual(self.selector.unregister(here).fd, number)
        os.dup2(other.fileno(), number)
        self.addCleanup(os.close, number)
        self.selector.register(number, selectors.EVENT_READ)
        there.send(b"x")
        self.assertEqual(self.ready(), {number: selectors.EVENT_READ})

    def test_what_was_closed_cannot_be_changed_and_is_forgotten(self):
        here, _ = self.pair()
        self.selector.register(here.fileno(), selectors.EVENT_READ)
        number = here.fileno()
        here.close()
        self.assertRaises(OSError, self.selector.modify, number, selectors.EVENT_WRITE)
        self.assertEqual(list(self.selector.get_map()), [])

    def test_a_timeout_is_never_early(self):
        for timeout in (0.0005, 0.001, 0.0101, 0.05):
            time.sleep(0.03)  # what was before does not count
            start = time.monotonic()
            self.assertEqual(self.selector.select(timeout), [])
            self.assertGreaterEqual(time.monotonic() - start, timeout)
        self.assertEqual(self.selector.select(0), [])
        self.assertEqual(self.selector.select(-1), [])

    def test_none_waits_until_something_is_ready(self):
        here, there = self.pair()
        self.selector.register(here, selectors.EVENT_READ)
        thread = threading.Thread(target=there.send, args=(b"x",))
        thread.start()
        self.assertEqual(self.ready(None), {here.fileno(): selectors.EVENT_READ})
        thread.join()

    def test_another_thread_may_register_meanwhile(self):
        here, there = self.pair()
        other, _ = self.pair()
        self.selector.register(here, selectors.EVENT_READ)
        found = []
        thread = threading.Thread(target=lambda: found.append(self.ready(None)))
        thread.start()
        time.sleep(0.02)  # for the thread to be asleep; if it is not yet, this test sees less
        self.selector.register(other, selectors.EVENT_WRITE)
        thread.join()
        self.assertEqual(found, [{other.fileno(): selectors.EVENT_WRITE}])
        self.assertTrue(there)

    def test_everything_that_is_ready_is_told_at_once(self):
        pairs = [socket.socketpair() for _ in range(300)]
        for here, _ in pairs:
            self.addCleanup(here.close)
            self.selector.register(here, selectors.EVENT_WRITE)
        numbers = sorted(here.fileno() for here, _ in pairs)
        self.assertEqual(sorted(key.fd for key, _ in self.selector.select(0)), numbers)
        self.assertEqual(sorted(key.fd for key, _ in self.selector.select()), numbers)
        for _, there in pairs:
            there.close()

    def interrupted(self, handler, timeout):
        """select(timeout) while a signal comes, whose handler is `handler`."""
        before = signal.signal(signal.SIGALRM, handler)
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        return self.ready(timeout)

    def test_a_signal_is_handled_at_once_and_the_rest_is_slept(self):
        came = []
        start = time.monotonic()
        self.assertEqual(self.interrupted(lambda *_: came.append(time.monotonic() - start), 0.3), {})
        self.assertGreaterEqual(time.monotonic() - start, 0.3)
        self.assertGreater(len(came), 1)

    def test_what_a_handler_does_ends_the_sleep(self):
        here, there = self.pair()
        self.selector.register(here, selectors.EVENT_READ)
        self.assertEqual(self.interrupted(lambda *_: there.send(b"x"), None), {here.fileno(): selectors.EVENT_READ})

    def test_what_a_handler_raises_comes_out(self):
        def handler(*_):
            raise RuntimeError("by the handler")

        with self.assertRaisesRegex(RuntimeError, "by the handler"):
            self.interrupted(handler, None)
        signal.setitimer(signal.ITIMER_REAL, 0)
        here, _ = self.pair()
        self.selector.register(here, selectors.EVENT_WRITE)
        self.assertEqual(self.ready(None), {here.fileno(): selectors.EVENT_WRITE}, "and it can be used as before")

    def test_a_signal_is_written_to_the_wakeup_descriptor(self):
        here, there = self.pair()
        before = signal.set_wakeup_fd(there.fileno())
        self.addCleanup(signal.set_wakeup_fd, before)
        self.selector.register(here, selectors.EVENT_READ)
        self.assertEqual(self.interrupted(lambda *_: None, None), {here.fileno(): selectors.EVENT_READ})
        self.assertEqual(here.recv(1), bytes([signal.SIGALRM]))

    def test_closing_ends_it(self):
        here, there = self.pair()
        self.selector.register(here, selectors.EVENT_READ)
        self.selector.close()
        self.selector.close()
        self.assertIsNone(self.selector.get_map())
        self.assertRaises(RuntimeError, self.selector.get_key, here)
        self.assertRaises(KeyError, self.selector.unregister, here)
        self.assertRaises(ValueError, self.selector.select, 0)
        there.send(b"x")

    def test_its_descriptor_is_readable_when_something_is_ready(self):
        here, there = self.pair()
        self.selector.register(here, selectors.EVENT_READ)
        self.assertEqual(select.select([self.selector], [], [], 0)[0], [])
        there.send(b"x")
        self.assertEqual(select.select([self.selector], [], [], 5)[0], [self.selector])

    def test_nothing_is_left_open(self):
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            selector = type(self).make()
            selector.register(self.pair()[0], selectors.EVENT_READ)
            selector.close()
            del selector
            type(self).make()  # dropped without a word
        self.doCleanups()
        gc.collect()
        self.assertLessEqual(len(os.listdir("/proc/self/fd")), before)


class StockSelector(Selecting, unittest.TestCase):
    make = selectors.EpollSelector


class WeftSelector(Selecting, unittest.TestCase):
    make = weft.Selector


class Polling:
    """What select.epoll promises to those who use it without a selector."""

    make = None

    def setUp(self):
        self.poll = type(self).make()
        self.addCleanup(self.poll.close)
        self.here, self.there = socket.socketpair()
        self.addCleanup(self.here.close)
        self.addCleanup(self.there.close)
        self.fd = self.here.fileno()

    def test_errors_and_ends_are_told(self):
        self.poll.register(self.here, select.EPOLLIN | select.EPOLLOUT)
        self.there.close()
        ((fd, events),) = self.poll.poll(0)
        self.assertEqual((fd, events), (self.fd, select.EPOLLIN | select.EPOLLOUT | select.EPOLLHUP))

    def test_who_is_registered_for_nothing_is_told_nothing_that_is_wanted(self):
        self.poll.register(self.fd, 0)
        self.there.send(b"x")
        self.assertEqual(self.poll.poll(0), [])
        self.poll.modify(self.fd, select.EPOLLIN)
        self.assertEqual(self.poll.poll(0), [(self.fd, select.EPOLLIN)])

    def test_mistakes_have_their_errors(self):
        def number(call, *args):
            with self.assertRaises(OSError) as caught:
                call(*args)
            return caught.exception.errno

        self.assertEqual(number(self.poll.modify, self.fd, select.EPOLLIN), errno.ENOENT)
        self.assertEqual(number(self.poll.unregister, self.fd), errno.ENOENT)
        self.poll.register(self.fd)
        self.assertEqual(number(self.poll.register, self.fd), errno.EEXIST)
        self.assertEqual(number(self.poll.unregister, 9999), errno.EBADF)
        self.assertRaises(ValueError, self.poll.poll, math.nan)
        self.assertRaises(TypeError, self.poll.poll, "x")
        self.assertRaises(TypeError, self.poll.register, "x")
        self.poll.unregister(self.fd)
        self.poll.close()
        self.assertTrue(self.poll.closed)
        self.assertRaises(ValueError, self.poll.poll)
        self.assertRaises(ValueError, self.poll.register, self.fd)
        self.assertRaises(ValueError, self.poll.fileno)

    def test_a_number_that_was_closed_and_is_another_file_is_registered_anew(self):
        self.poll.register(self.fd, select.EPOLLIN)
        other, there = socket.socketpair()
        self.here.close()
        with other, there:
            os.dup2(there.fileno(), self.fd)
            self.poll.register(self.fd, select.EPOLLIN)
            other.send(b"x")
            self.assertEqual(self.poll.poll(0), [(self.fd, select.EPOLLIN)])
            self.poll.unregister(self.fd)
            self.assertEqual(self.poll.poll(0), [])
            os.close(self.fd)


class StockPoll(Polling, unittest.TestCase):
    make = select.epoll


class WeftPoll(Polling, unittest.TestCase):
    make = weft.Poll

    def test_it_says_on_what_it_runs(self):
        self.assertTrue(self.poll.backend)

    def test_what_weft_cannot_watch_for_is_refused(self):
        self.assertRaises(OSError, self.poll.register, self.fd, select.EPOLLIN | select.EPOLLET)

    def test_a_file_that_is_opened_again_under_its_number_is_registered_anew(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "fifo")
            os.mkfifo(path)
            first = os.open(path, os.O_RDWR)
            self.poll.register(first, select.EPOLLIN)
            os.close(first)
            self.assertEqual(os.open(path, os.O_RDWR), first)
            self.poll.register(first, select.EPOLLIN)
            os.write(first, b"x")
            self.assertEqual(self.poll.poll(0), [(first, select.EPOLLIN)])
            os.close(first)

    def test_only_one_thread_waits(self):
        self.poll.register(self.fd, select.EPOLLIN)
        waiting = threading.Thread(target=self.poll.poll)
        waiting.start()
        with self.assertRaises(RuntimeError):
            while waiting.is_alive():
                self.poll.poll(0)
        self.there.send(b"x")
        waiting.join()

    def test_a_thread_that_waits_learns_that_it_was_closed(self):
        caught = []

        def wait():
            try:
                self.poll.poll()
            except ValueError as error:
                caught.append(error)

        before = signal.signal(signal.SIGALRM, lambda *_: self.poll.close())
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        wait()
        self.assertTrue(caught)


class Loops(unittest.TestCase):
    """asyncio takes it."""

    def test_the_policy_gives_loops_on_weft(self):
        before = asyncio.get_event_loop_policy()
        asyncio.set_event_loop_policy(weft.EventLoopPolicy())
        self.addCleanup(asyncio.set_event_loop_policy, before)

        async def main():
            return type(asyncio.get_running_loop()._selector)

        self.assertIs(asyncio.run(main()), weft.Selector)

    def test_an_interrupt_from_the_keyboard_cancels_what_runs(self):
        loop = weft.new_event_loop()
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            cancelled = []

            async def main():
                signal.setitimer(signal.ITIMER_REAL, 0.02)
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    cancelled.append(True)
                    raise

            before = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
            self.addCleanup(signal.signal, signal.SIGALRM, before)
            self.assertRaises(KeyboardInterrupt, runner.run, main())
            self.assertEqual(cancelled, [True])


if __name__ == "__main__":
    unittest.main()
