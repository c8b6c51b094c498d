"""A pytest plugin that runs the selected tests against every mutant, each in a fork of one warm process.

mutmut makes the mutants and the switch that turns one on; its own runner starts pytest anew for each of
them, which takes ten times as long as the tests. Here they are collected once.
"""

import fnmatch
import json
import os
import resource
import signal
import time
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

VERDICTS = {0: "survived", 1: "killed"}


def pytest_addoption(parser):
    group = parser.getgroup("mutants")
    group.addoption("--mutants", metavar="FILE", help="where verdicts go, by the mutants' names")
    group.addoption("--names", metavar="FILE", help="the names of all mutants, one a line")
    group.addoption("--only", default="*", metavar="PATTERN", help="mutants of these names alone")
    group.addoption("--every", type=int, default=1, metavar="N", help="every Nth of these")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    option = session.config.option
    names = [n for n in Path(option.names).read_text().split() if fnmatch.fnmatch(n, option.only)]
    names = names[:: option.every]
    seconds, tests = _who_calls_what(session.items)
    verdicts = {}
    for name in names:
        function = name.rpartition("__mutmut_")[0]
        items = sorted(tests.get(function, ()), key=seconds.get)
        verdicts[name] = _judge(name, items, sum(map(seconds.get, items))) if items else "untested"
        Path(option.mutants).write_text(json.dumps(verdicts, indent=0) + "\n")
    return True


def _who_calls_what(items):
    """CPU seconds of every test, and the tests that call each function of the library.

    This, too, happens in a fork: threads that solvers start in a process do not live on in its children.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        found = {}
        try:
            found = _traced(items)
        finally:
            with os.fdopen(writer, "w") as pipe:
                json.dump(found, pipe)
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        found = json.load(pipe)
    os.waitpid(child, 0)
    if "fails" in found or not found:
        pytest.exit(f"{found.get('fails', 'a test')} fails without any mutant", returncode=1)
    seconds = dict(zip(items, found["seconds"], strict=True))
    tests = {name: [items[i] for i in numbers] for name, numbers in found["tests"].items()}
    return seconds, tests


def _traced(items):
    from mutmut.mutation import trampoline

    called = set()
    trampoline.record_trampoline_hit = lambda name, caller=None: called.add(name)
    trampoline.set_mutant_under_test("stats")
    seconds, tests = [], {}
    for number, (item, after) in enumerate(zip(items, [*items[1:], None], strict=True)):
        called.clear()
        started = time.process_time()
        reports = runtestprotocol(item, nextitem=after, log=False)
        seconds.append(time.process_time() - started)
        if any(report.failed for report in reports):
            return {"fails": item.nodeid}
        for function in called:
            tests.setdefault(function, []).append(number)
    return {"seconds": seconds, "tests": tests}


def _judge(name, items, seconds):
    """Killed, survived or timed out: what the tests that call the mutated function say."""
    child = os.fork()
    if not child:
        from mutmut.mutation import trampoline

        limit = int(5 * seconds + 3)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        signal.alarm(20 * limit)  # of the clock, for one that waits for ever
        resource.setrlimit(resource.RLIMIT_DATA, (4 << 30, 4 << 30))
        trampoline.set_mutant_under_test(name)
        for item in items:
            item.repr_failure = lambda *args, **kwargs: ""  # nobody reads it, and it takes seconds
        failed = True
        try:
            failed = any(
                report.failed
                for item, after in zip(items, [*items[1:], None], strict=True)
                for report in runtestprotocol(item, nextitem=after, log=False)
            )
        finally:
            os._exit(int(failed))
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        late = os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL, signal.SIGALRM)
        return "timed out" if late else "killed"
    return VERDICTS[os.WEXITSTATUS(status)]
