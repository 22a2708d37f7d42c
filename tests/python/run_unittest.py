# SPDX-License-Identifier: MIT
"""usage: run_unittest.py stock|weft OUTCOMES NAME...

Runs tests of unittest, whose loops wait in the interpreter's own selector or in Weft's, and writes a line for each test
into the file OUTCOMES: what became of it and its name. The last line says how many of Weft's selectors were made."""
import json
import os
import selectors
import sys
import unittest

# A test that has none of these was taken to its end. With subtests the worst counts.
ORDER = ["passed", "skipped", "expected failure", "unexpected success", "failed", "error"]


class Outcomes(unittest.TestResult):
    """Notes what becomes of each test as soon as it is over, so that what hangs later takes nothing away."""

    def __init__(self, file):
        super().__init__()
        self.file, self.worst = file, {}

    def note(self, test, outcome, details=None):
        name = test.id()
        if ORDER.index(outcome) >= ORDER.index(self.worst.get(name, "passed")):
            self.worst[name] = outcome
        if details:
            sys.stderr.write(f"{outcome}: {name}\n{self._exc_info_to_string(details, test)}\n")
        if not self.running == name:  # of a class or a module that could not be set up
            self.write(name)

    def write(self, name):
        self.file.write(json.dumps([self.worst[name], name]) + "\n")
        self.file.flush()

    running = None

    def startTest(self, test):
        super().startTest(test)
        self.running = test.id()
        self.worst.setdefault(self.running, "passed")
        sys.stderr.write(f"-- {self.running}\n")

    def stopTest(self, test):
        super().stopTest(test)
        self.running = None
        self.write(test.id())

    def addSkip(self, test, reason):
        self.note(test, "skipped")

    def addExpectedFailure(self, test, err):
        self.note(test, "expected failure")

    def addUnexpectedSuccess(self, test):
        self.note(test, "unexpected success")

    def addFailure(self, test, err):
        self.note(test, "failed", err)

    def addError(self, test, err):
        self.note(test, "error", err)

    def addSubTest(self, test, subtest, err):
        if err:
            self.note(test, "failed" if issubclass(err[0], test.failureException) else "error", err)


def use_weft():
    """What the tests ask for as EpollSelector or as the best there is becomes ours, under that name: some know by it what
    they can ask for. Returns a list with an element for each that was made."""
    import weft

    made = []

    class EpollSelector(weft.Selector):
        def __init__(self):
            made.append(1)
            super().__init__()

    selectors.EpollSelector = selectors.DefaultSelector = EpollSelector
    return made


def main():
    which, path, names = sys.argv[1], sys.argv[2], sys.argv[3:]
    made = use_weft() if which == "weft" else []
    with open(path, "w", encoding="utf-8") as file:
        unittest.defaultTestLoader.loadTestsFromNames(names).run(Outcomes(file))
        file.write(json.dumps(["made", len(made)]) + "\n")
    sys.stdout.flush()
    os._exit(0)  # what a test has left behind is not what is asked


main()
