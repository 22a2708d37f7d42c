# SPDX-License-Identifier: MIT
"""`weft sim` as a whole: it finds defects that were planted, shrinks them, and the command that it prints finds them
again. Nothing here depends on how fast the machine is but the one run that hangs, which is given a second."""
import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time

SOURCE = os.environ["WEFT_SOURCE_DIR"]
BUILD = os.environ["WEFT_BUILD_DIR"]
WEFT = os.path.join(BUILD, "weft")
SCENARIOS = os.path.join(BUILD, "tests", "planted")
PLANTED = os.path.join(SCENARIOS, "planted.so")
PROGRAM = os.path.join(SCENARIOS, "sim-program")
WEB = ["web", "--log", "none", os.path.join(SOURCE, "tests", "sim", "command")]
GET = "GET /command.py HTTP/1.1\r\nHost: localhost\r\n\r\n"
PATIENCE = 120
LAST = re.compile(r"^seeds (\d+), failed (\d+), mismatches (\d+), probes (\d+)/(\d+)$")


def watches_threads():
    """Whether the programs were built with the thread sanitizer."""
    with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as cache:
        return any(re.match(r"WEFT_SANITIZE:\w+=.*thread", line) for line in cache)


class Run:
    def __init__(self, *arguments, planted="", environment=None, before=None):
        self.done = subprocess.run([WEFT, "sim", *arguments], capture_output=True, text=True, timeout=PATIENCE,
                                   check=False, preexec_fn=before,
                                   env={**os.environ, "PLANTED": planted, **(environment or {})})
        self.out, self.err, self.status = self.done.stdout, self.done.stderr, self.done.returncode
        last = LAST.match(self.out.splitlines()[-1]) if self.out else None
        figures = map(int, last.groups()) if last else [None] * 5
        self.seeds, self.failed, self.mismatches, self.reached, self.declared = figures

    def check(self, **expected):
        for name, value in expected.items():
            assert getattr(self, name) == value, f"{name} is {getattr(self, name)}, not {value}: {self.out}{self.err}"
        return self

    def says(self, *patterns):
        for pattern in patterns:
            assert re.search(pattern, self.err, re.MULTILINE), f"no {pattern!r} in {self.err}"
        return self

    def again(self):
        """The command that it prints to run the seed again."""
        line = self.err.split("run it again with:\n")[1].splitlines()[0]
        return shlex.split(line)


def usage(pattern, *arguments):
    Run(*arguments).check(status=2, out="").says(pattern)


def sound_scenarios_pass_and_end_with_one_line():
    run = Run("echo", "--seeds", "30").check(status=0, seeds=30, failed=0, mismatches=0, err="")
    assert len(run.out.splitlines()) == 1
    Run(PLANTED, "--seeds", "30").check(status=0, seeds=30, failed=0)


def every_run_repeats():
    Run("echo", "--seeds", "30", "--twice").check(status=0, seeds=30, failed=0, mismatches=0)


def a_split_frame_is_found_shrunk_and_replayed():
    run = Run(PLANTED, "--seeds", "1000", "--jobs", "1", planted="split").check(status=1, failed=1)
    run.says(r"seed \d+ failed: a frame of \d bytes$", r"^    is what the server got$",
             r"shrunk in \d+ runs: 8 connections to 1, 100 messages to \d+, \d+ faults to [1-3]$")
    assert "the loop" not in run.err, run.err
    command = run.again()
    assert command[:2] == ["weft", "sim"] and "--connections" in command and "--keep" in command, command
    Run(*command[2:], planted="split").check(status=1, seeds=1, failed=1).says("a frame of \\d bytes")
    without = command[2:]
    without[without.index("--keep") + 1] = "none"
    Run(*without, planted="split").check(status=0, failed=0)


def nothing_is_shrunk_that_must_not_be():
    run = Run(PLANTED, "--seeds", "1000", "--no-shrink", planted="split").check(status=1, failed=1)
    assert "shrunk" not in run.err and "--keep" not in run.err


def a_crash_is_the_failure_of_its_seed():
    run = Run(PLANTED, "--seeds", "30", planted="crash").check(status=1, failed=1)
    run.says(r"seed (5|10) failed: (it crashed with SIGSEGV|a sanitizer reports an error)")
    assert "--seed" in run.again()


def a_run_that_hangs_is_ended():
    Run(PLANTED, "--seeds", "5", "--patience", "1s", "--no-shrink", planted="hang").check(status=1, failed=1).says(
        "seed 5 failed: it makes no progress")


def a_run_that_comes_to_no_rest_is_a_failure():
    Run(PLANTED, "--seeds", "5", "--no-shrink", planted="restless").check(status=1, failed=1).says(
        "seed 5 failed: it has not come to rest")


def a_task_that_waits_for_ever_is_a_failure():
    for options in (["--seeds", "5"], ["--seed", "5"]):
        Run(PLANTED, *options, "--faults", "none", "--no-shrink", planted="stuck").check(status=1, failed=1).says(
            "seed 5 failed: it has come to rest, but 1 task waits for what nothing can bring any more",
            r'^    clients: task "wait_for_ever": waits for a deferred')
    Run(PLANTED, "--seeds", "5", "--faults", "none", planted="served").check(status=0, failed=0)


def an_exit_in_a_run_is_a_failure():
    Run(PLANTED, "--seeds", "5", planted="exit").check(status=1, failed=1).says(
        "seed 5 failed: it ended the process with status 0")


def what_is_told_of_an_exit_is_told_again():
    run = Run(PLANTED, "--seeds", "5", planted="exit")
    Run(*run.again()[2:], planted="exit").check(status=1, seeds=1, failed=1).says(
        "seed 5 failed: it ended the process with status 0")


def whoever_ignores_its_children_sees_theirs_end():
    def ignore():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)

    Run("echo", "--seeds", "3", before=ignore).check(status=0, seeds=3)
    Run("--seed", "3", "--no-visitors", "--faults", "none", PROGRAM, before=ignore).check(status=0, seeds=1)


def what_a_run_leaves_over_is_a_failure():
    Run(PLANTED, "--seeds", "5", planted="leak").check(status=1, failed=1).says("memory is left over: 1 allocation")
    Run(PLANTED, "--seed", "5", planted="leak").check(status=1, failed=1).says("memory is left over: 1 allocation")
    Run(PLANTED, "--seeds", "5", planted="open file").check(status=1, failed=1).says("a file or socket is left open")


def what_is_kept_from_run_to_run_is_told():
    Run(PLANTED, "--seeds", "5", "--jobs", "1", planted="memory of runs").check(status=1, failed=1).says(
        "seed 2 failed: this is the second run", "something is kept from the runs before it")


def a_failure_that_is_another_each_time_is_not_shrunk():
    Run(PLANTED, "--seeds", "5", planted="moods").check(status=1, failed=1).says(
        "Alone, in a new process, it fails otherwise: [a-z]{40}$")


def faults_that_nobody_has_tried_without_stay():
    run = Run(PLANTED, "--seed", "1", "--seeds", "1", "--connections", "1", "--messages", "20000", "--faults",
              "short-reads=1000000", planted="many faults").check(status=1, failed=1)
    Run(*run.again()[2:], planted="many faults").check(status=1, failed=1)


def a_run_that_does_not_repeat_is_a_mismatch():
    run = Run(PLANTED, "--seeds", "20", "--twice", planted="address").check(status=1, failed=0, mismatches=1)
    run.says(r"seed \d+: its two runs differ", r"They part at event \d+", "^  one ", "^  other ")
    assert "--twice" in run.again()
    if not watches_threads():  # there the allocator is one that cannot be told to fill its memory
        Run(PLANTED, "--seeds", "20", "--twice", planted="memory that nobody has set").check(status=1, mismatches=1)
        Run("--seeds", "3", "--twice", "--no-visitors", "--faults", "none", "--", PROGRAM, "--unset").check(
            status=1, mismatches=1)
    run = Run(PLANTED, "--seeds", "20", "--twice", planted="address in a message").check(status=1, mismatches=1)
    run.says(r"They part at event \d+", "^  one .* bytes ", "^  other .* bytes ")


def all_failures_are_told_if_it_goes_on():
    run = Run(PLANTED, "--seeds", "30", "--continue-on-failure", planted="crash").check(status=1, seeds=30, failed=6)
    assert len(re.findall(r"^weft sim: seed \d+ failed", run.err, re.MULTILINE)) == 6


def probes_can_be_required():
    Run(PLANTED, "--seeds", "3", "--faults", "none", "--require-probes").check(status=1, failed=0, reached=0,
                                                                                 declared=1)
    Run(PLANTED, "--seeds", "3", "--faults", "short-reads=900000", "--require-probes").check(status=0, reached=1,
                                                                                             declared=1)


def one_seed_is_run_in_the_process_itself():
    trace = Run("echo", "--seed", "7", "--trace").check(status=0, seeds=1).out
    assert " connect " in trace and trace == Run("echo", "--seed", "7", "--trace").out


def hashes_are_those_of_the_seeds():
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        one, other = os.path.join(folder, "one"), os.path.join(folder, "other")
        Run("echo", "--seeds", "10", "--seed", "3", "--hashes", one).check(status=0)
        Run("echo", "--seeds", "10", "--seed", "3", "--hashes", other, "--jobs", "1").check(status=0)
        with open(one, encoding="ascii") as a, open(other, encoding="ascii") as b:
            lines = a.read().splitlines()
            assert lines == b.read().splitlines()
        assert [int(line.split()[0]) for line in lines] == list(range(3, 13)), lines
        assert len({line.split()[1] for line in lines}) == 10
        nowhere = os.path.join(folder, "no", "file")
        Run("echo", "--seeds", "3", "--hashes", nowhere).check(status=1, out="").says("cannot write")
        Run("echo", "--seed", "3", "--hashes", nowhere).check(status=1, out="").says("cannot write")


def newest_source():
    return max(os.stat(os.path.join(folder, name)).st_mtime
               for top in ("src", "cli", "include") for folder, _, names in os.walk(os.path.join(SOURCE, top))
               for name in names)


def is_of_these_sources(build):
    program = os.path.join(build, "weft")
    return build == BUILD or (os.access(program, os.X_OK) and os.stat(program).st_mtime > newest_source())


def other_builds_have_the_same_hashes():
    """gcc's and clang's, with sanitizers and without: those beside this one that are made of these sources."""
    parent, made = os.path.dirname(BUILD), {}
    for name in ("dev", "clang", "asan", "release"):
        if not is_of_these_sources(os.path.join(parent, name)):
            continue
        path, weft, made[name] = os.path.join(BUILD, f"hashes-{name}"), os.path.join(parent, name, "weft"), ""
        for what in (["echo"], ["--say", GET, "--", weft, *WEB, "--workers", "4"]):
            subprocess.run([weft, "sim", "--seeds", "20", "--hashes", path, *what], capture_output=True, check=True,
                           timeout=PATIENCE)
            with open(path, encoding="ascii") as file:
                made[name] += file.read()
            os.unlink(path)
    print(f"      builds compared: {', '.join(made)}")
    assert len(set(made.values())) <= 1, made


def a_program_runs_once_for_each_seed():
    Run("--seeds", "10", "--faults", "none", "--twice", "--no-visitors", PROGRAM).check(status=0, seeds=10, failed=0,
                                                                                       mismatches=0)
    run = Run("--seeds", "100", "--faults", "resets=20000,latency=1ms-9ms", "--no-visitors", PROGRAM)
    run.check(status=1, failed=1)
    run.says("it ended with status 3", r"only \d+ answers", r"shrunk in \d+ runs: \d+ faults to 1")
    command = run.again()
    assert command[-1] == PROGRAM and command[0].startswith("WEFT_BACKEND=sim:"), command
    done = subprocess.run(["env", *command], capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 3 and "answers" in done.stdout, done
    command = [word for word in command if not word.startswith("WEFT_SIM_KEEP")]
    assert subprocess.run(["env", "WEFT_SIM_KEEP=none", *command], check=False, timeout=PATIENCE).returncode == 0


def a_program_that_crashes_or_hangs_fails():
    Run("--seeds", "3", "--", PROGRAM, "--crash").check(status=1, failed=1).says(
        "it was killed by SIGABRT", " --crash$")
    Run("--seeds", "1", "--patience", "1s", "--no-shrink", "--", PROGRAM, "--hang").check(status=1, failed=1).says(
        "it makes no progress")
    Run("--seed", "1", "--patience", "1s", "--", PROGRAM, "--hang").check(status=1, failed=1).says(
        "it makes no progress")


def a_program_that_frees_no_loop_cannot_be_compared():
    plain = ["--seeds", "3", "--no-visitors", "--faults", "none"]
    Run(*plain, "--", PROGRAM, "--forget").check(status=0, seeds=3, failed=0)
    Run(*plain, "--twice", "--", PROGRAM, "--forget").check(status=1, failed=1).says(
        "it ended without weft_loop_free, so its run has no hash, and --twice cannot compare it")


def a_program_without_a_simulated_loop_is_a_failure():
    Run("--seeds", "2", "/bin/true").check(status=1, failed=1).says("it made no loop in the simulated world")
    Run("--seed", "2", "/bin/true").check(status=1, failed=1).says("it made no loop in the simulated world")


def a_program_that_ends_otherwise_fails_otherwise():
    run = Run("--seeds", "1", "--faults", "none", "--", PROGRAM, "--picky").check(status=1, failed=1).says(
        "it ended with status 4", "20 connections to 20, 1000 messages to 1000")
    assert "WEFT_SIM_VISITORS=20,1000" in run.again()


def a_program_has_a_trace_and_a_report():
    trace = Run("--seed", "7", "--faults", "none", "--trace", "--no-visitors", PROGRAM).check(status=0, seeds=1)
    assert re.search(r"^ +0\.0+ localhost +listen ", trace.out, re.MULTILINE), trace.out
    with tempfile.TemporaryFile(dir=BUILD) as report:
        done = subprocess.run([PROGRAM], check=False, timeout=PATIENCE, pass_fds=[report.fileno()],
                              env={**os.environ, "WEFT_BACKEND": "sim:7", "WEFT_SIM_REPORT": str(report.fileno())})
        report.seek(0)
        assert done.returncode == 0
        assert re.fullmatch(rb"world\nhash [0-9a-f]{16} events \d+ faults 0 time \d+\n", report.read())
    for wrong in ("WEFT_SIM_FAULTS", "WEFT_SIM_KEEP", "WEFT_SIM_VISITORS", "WEFT_SIM_REPORT", "WEFT_SIM_TRACE"):
        done = subprocess.run([PROGRAM], check=False, timeout=PATIENCE, capture_output=True,
                              env={**os.environ, "WEFT_BACKEND": "sim:7", wrong: "nonsense"})
        assert done.returncode == 3 and wrong.encode() in done.stderr, (wrong, done)
    done = subprocess.run([PROGRAM], check=False, timeout=PATIENCE, capture_output=True,
                          env={**os.environ, "WEFT_BACKEND": "simm"})
    assert done.returncode == 3 and b'no backend "simm"' in done.stderr, done


def a_server_is_visited_and_ended():
    echo = os.path.join(BUILD, "examples", "echo")
    if os.access(echo, os.X_OK):
        Run("--seeds", "50", "--twice", "--", echo).check(status=0, seeds=50, failed=0, mismatches=0)
        trace = Run("--seed", "3", "--connections", "2", "--faults", "none", "--trace", "--", echo).check(status=0)
        assert len(re.findall(" accepted ", trace.out)) == 2, trace.out
        done = subprocess.run([echo], check=False, timeout=PATIENCE, capture_output=True,
                              env={**os.environ, "WEFT_BACKEND": "sim:1"})
        assert done.returncode == 1 and b"WEFT_SIM_VISITORS" in done.stderr, done


def faults_that_always_happen_leave_a_way_on():
    for kind in ("refused-writes", "spurious-wakeups", "slow-files", "short-file-reads"):
        Run("http", "--seeds", "3", "--faults", f"{kind}=1000000").check(status=0, failed=0)


def an_object_may_have_any_name_that_ends_so():
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        path = os.path.join(folder, "it's a.solver.so.1")
        shutil.copy(PLANTED, path)
        run = Run(path, "--seeds", "1000", planted="split").check(status=1, failed=1)
        Run(*run.again()[2:], planted="split").check(status=1, failed=1)


def a_server_with_workers_is_visited_and_ended():
    for workers in (["--workers", "4"], []):
        Run("--seeds", "60", "--twice", "--say", GET, "--", WEFT, *WEB, *workers).check(
            status=0, seeds=60, failed=0, mismatches=0)
    trace = Run("--seed", "3", "--connections", "40", "--faults", "none", "--say", GET, "--trace", "--", WEFT, *WEB,
                "--workers", "3").check(status=0)
    assert len(re.findall(" worker +#", trace.out)) == 2 and len(re.findall(" worker ends ", trace.out)) == 2, trace.out
    assert len(re.findall(" accepted ", trace.out)) == 40, trace.out


def what_is_no_scenario_is_refused():
    usage("there is no scenario 'ecoh'.*did you mean 'echo'", "ecoh")
    usage("SCENARIO is missing")
    usage("a scenario takes no arguments, but got 'x'", "echo", "x")
    usage("cannot open shared object file", "./none.so")
    usage("exports no scenario: const weft_sim_scenario weft_scenario", os.path.join(SCENARIOS, "nameless.so"))
    usage("has the wrong size", os.path.join(SCENARIOS, "small.so"))
    usage("was compiled for a later one", os.path.join(SCENARIOS, "large.so"))
    usage("cannot run ./none: No such file", "./none")
    usage("--trace is of one run", "echo", "--trace")
    usage("--trace is of one run", "echo", "--trace", "--seed", "3", "--seeds", "4")


def errors_point_at_their_place():
    usage(r"did you mean 'short-reads'.*\n  resets=1,short-read=3\n           \^{10}$", "echo", "--faults",
          "resets=1,short-read=3")
    usage(r"a latency is .*\n  latency=5\n          \^$", "echo", "--faults", "latency=5")
    usage(r"--keep takes numbers.*\n  1,x\n    \^$", "echo", "--keep", "1,x")


def the_list_names_scenarios_and_probes():
    out = Run("--list").check(status=0).out
    names = [line.split()[0] for line in out.splitlines()]
    assert names[0] == "echo" and all(len(line.split()) > 2 for line in out.splitlines()), out
    assert len(Run("--list", "--verbose").check(status=0).out) >= len(out)
    script = os.path.join(BUILD, "completions", "weft")
    asked = f"source {script}; COMP_WORDS=({WEFT} sim ''); COMP_CWORD=2; _weft; echo ${{COMPREPLY[*]}}"
    done = subprocess.run(["bash", "--norc", "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.split() == names, done.stdout


# Probes of src/ that no scenario need reach, with the reason.
NO_DATAGRAMS = "no scenario has datagrams yet; tests/sim/test_datagram and tests/laws/test_datagrams come by it"
NO_TLS = "no scenario speaks TLS yet; the laws over TLS come by it"
UNDECLARED = {
    "http client: the server broke off while it was sent to": "about one run in a thousand comes by it",
    "datagram: an answer of ICMP was met by a send": NO_DATAGRAMS,
    "datagram: lost while some were queued": NO_DATAGRAMS,
    "inbox: no memory for a datagram": NO_DATAGRAMS,
    "sim: a datagram for which a socket had no room": NO_DATAGRAMS,
    "sim: a datagram that a router dropped": NO_DATAGRAMS,
    "tls: a handshake's answer did not go out": NO_TLS,
    "tls: a send has to wait": NO_TLS,
    "tls: a session was resumed": NO_TLS,
    "tls: what came waits until it is wanted": NO_TLS,
}


def probes_in_the_sources():
    found = set()
    for folder, _, names in os.walk(os.path.join(SOURCE, "src")):
        for name in (name for name in names if name.endswith(".c")):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                for call in re.findall(r"\b(?:PROBE|sim_probe)\(([^;]*)\);", file.read()):
                    found.update(re.findall(r'"([^"]+)"', call))
    return found


def every_probe_is_declared_by_a_scenario_that_reaches_it():
    listed = Run("--list", "--verbose").check(status=0).out
    declared = set(re.findall(r"^ +probe (.+)$", listed, re.MULTILINE))
    assert probes_in_the_sources() - declared == set(UNDECLARED), probes_in_the_sources() ^ declared
    assert declared <= probes_in_the_sources(), declared - probes_in_the_sources()


def more_is_told_if_asked_for():
    out = Run(PLANTED, "--seeds", "10", "--verbose").check(status=0).out
    assert re.search(r"^  short-reads +\d+$", out, re.MULTILINE), out
    assert re.search(r"^  probe planted: a frame in pieces +\d+$", out, re.MULTILINE), out
    assert re.search(r"^runs 10, distinct hashes \d+, faults \d+$", out, re.MULTILINE), out
    assert re.search(r"^mean of a run: \d+ events, ", out, re.MULTILINE), out


def a_terminal_sees_progress():
    parent, child = pty.openpty()
    termios.tcsetwinsize(child, (24, 120))
    process = subprocess.Popen([WEFT, "sim", "echo", "--seeds", "40"], stdout=subprocess.PIPE, stderr=child)
    os.close(child)
    seen = b""
    try:
        while chunk := os.read(parent, 4096):
            seen += chunk
    except OSError:
        pass  # the other end was closed
    out = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 0 and out.startswith(b"seeds 40, failed 0, ") and out.count(b"\n") == 1
    assert b"40/40" in seen and b"simulated" in seen and b"/s" in seen, seen


def an_interrupt_ends_it_in_order():
    with subprocess.Popen([WEFT, "sim", "echo", "--seeds", "10000000"], stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.PIPE) as process:
        children = f"/proc/{process.pid}/task/{process.pid}/children"
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with open(children, encoding="ascii") as file:
                if workers := file.read().split():
                    break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1 and LAST.match(out.strip()) and "interrupted" in err, (out, err)
    assert not any(os.path.exists(f"/proc/{worker}") for worker in workers)


def main():
    helpers = ("Run", "usage", "newest_source", "is_of_these_sources", "probes_in_the_sources", "main")
    cases = [case for name, case in globals().items()
             if callable(case) and getattr(case, "__module__", "") == __name__ and name not in helpers]
    for case in cases:
        if sys.argv[1:] and case.__name__ not in sys.argv[1:]:
            continue
        case()
        print(f"ok    {case.__name__}", flush=True)
    print(f"{len(cases)} cases")


main()
