# SPDX-License-Identifier: MIT
"""usage: run_trial.py stock|weft OUTCOMES NAME...

Runs tests of trial, on Twisted's epollreactor or on Weft's reactor: it is the reactor of the process, and the only one
that the tests which try every reactor (ReactorBuilder) are given. Writes a line for each test into the file OUTCOMES:
what became of it and its name. The last line says how many of Weft's reactors were made."""
import json
import os
import sys

from twisted.internet import epollreactor, main as internet_main

MADE = []


def install(which):
    """Ours goes by the other one's name: some tests know by it which reactors cannot do what they ask for, and the tests
    of ReactorBuilder bear it in their own."""
    if which == "weft":
        import weft.reactor

        class EPollReactor(weft.reactor.WeftReactor):
            __module__ = "weft.reactor"  # a test has a child install the reactor of the same module

            def __init__(self):
                MADE.append(1)
                super().__init__()

        epollreactor.EPollReactor = EPollReactor
    internet_main.installReactor(epollreactor.EPollReactor())


install(sys.argv[1])

from twisted.trial import reporter, runner, util  # noqa: E402  (after the reactor is there)

util.DEFAULT_TIMEOUT_DURATION = 15.0  # eight hang with newer libraries, on any reactor: trial waits two minutes for each

from twisted.internet.test.reactormixins import ReactorBuilder  # noqa: E402

ReactorBuilder._reactors = ["twisted.internet.epollreactor.EPollReactor"]


class Outcomes(reporter.VerboseTextReporter):
    """Trial's own, and a file with each outcome as soon as it is known. The last one of a test counts."""

    file = None

    def note(self, test, outcome):
        Outcomes.file.write(json.dumps([outcome, test.id()]) + "\n")
        Outcomes.file.flush()

    def addSuccess(self, test):
        super().addSuccess(test)
        self.note(test, "passed")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note(test, "skipped")

    def addFailure(self, test, fail):
        super().addFailure(test, fail)
        self.note(test, "failed")

    def addError(self, test, error):
        super().addError(test, error)
        self.note(test, "error")

    def addExpectedFailure(self, test, failure, todo=None):
        super().addExpectedFailure(test, failure, todo)
        self.note(test, "expected failure")

    def addUnexpectedSuccess(self, test, todo=None):
        super().addUnexpectedSuccess(test, todo)
        self.note(test, "unexpected success")


def main():
    path, names = sys.argv[2], sys.argv[3:]
    Outcomes.file = open(path, "w", encoding="utf-8")
    runner.TrialRunner(Outcomes, workingDirectory=os.path.abspath("_trial_temp")).run(
        runner.TestLoader().loadByNames(names, recurse=True))
    Outcomes.file.write(json.dumps(["made", len(MADE)]) + "\n")
    Outcomes.file.close()
    sys.stdout.flush()
    os._exit(0)  # what a test has left behind is not what is asked


main()
