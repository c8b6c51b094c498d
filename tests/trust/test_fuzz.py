"""Every public entry point meets every bent argument: a right answer, or one sentence that refuses."""

import dataclasses
import re
import signal
import warnings

import numpy as np
import pytest

import stablib
from stablib import ShallowReLU

from . import bent
from .bent import Bent
from .entries import ENTRIES

CASES = [
    pytest.param(entry, argument, id=f"{entry.name}-{argument}".replace(" ", "_"))
    for entry in ENTRIES
    for argument in entry.bendable()
]
SECONDS = 30  # of the processor for one call; the right ones take milliseconds, once compiled


def numbers(result):
    """All numbers in a result, in order, whatever holds them."""
    if isinstance(result, ShallowReLU):
        return numbers((result.W1, result.b1, result.w2, result.b2))
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        return numbers([getattr(result, f.name) for f in dataclasses.fields(result)])
    if isinstance(result, dict):
        return numbers(list(result.values()))
    if isinstance(result, list | tuple):
        return np.concatenate([numbers(part) for part in result] or [np.zeros(0)])
    if isinstance(result, np.ndarray | float | int | np.number | np.bool_):
        return np.asarray(result, dtype=float).ravel()
    if hasattr(result, "matvec"):
        return result.matvec(np.ones(result.shape[1]))
    return np.zeros(0)


def answer(entry, **given):
    """What a call returns: its numbers, or the ValueError; warnings and hangs are failures."""

    def late(*_):
        raise AssertionError(f"{entry.name} is not done after {SECONDS} s")

    old = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return numbers(entry.call(**given)), None
    except ValueError as error:
        return None, str(error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, old)


def is_one_sentence(text):
    return (
        text
        and "\n" not in text
        and len(text) <= 300
        and not re.search(r"be broadcast|operands|could not convert|ufunc|invalid literal", text)
    )


def fault(entry, argument, case, known):
    """What is wrong with the reaction to one bent argument, or None; `known` keeps plain forms' answers."""
    plain = {name: _copy(value) for name, value in entry.arguments.items()}

    def meant():
        key = np.asarray(case.means).tobytes()
        if key not in known:
            known[key] = answer(entry, **plain | {argument: case.means})
        return known[key]

    found, said = answer(entry, **plain | {argument: case.value})
    if said is not None:
        if not is_one_sentence(said):
            return f"refused with {said!r}"
        if case.means is Bent.WRONG or case.means is Bent.EITHER:
            return None
        if meant()[1] != said:
            return f"refused though it means {case.means!r}: {said}"
        return None
    if case.means is Bent.WRONG:
        return "accepted"
    if case.means is Bent.EITHER:
        return "answered with NaN" if np.isnan(found).any() else None
    expected, _ = meant()
    if expected is None:
        return "accepted though its plain form is refused"
    if not np.allclose(found, expected, rtol=1e-7, atol=1e-10, equal_nan=True):
        return "accepted with another answer than its plain form"
    return None


def _copy(value):
    return value.copy() if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize(("entry", "argument"), CASES)
def test_a_bent_argument_is_understood_or_refused_in_one_sentence(entry, argument):
    faults, known = {}, {}
    for case in bent.of(entry.arguments[argument], optional=entry.optional(argument)):
        try:
            said = fault(entry, argument, case, known)
        except Exception as error:  # anything but a ValueError is a fault, a warning among them
            said = f"{type(error).__name__}: {error}"
        if said:
            faults[case.name] = said
    assert faults == {}


def test_the_right_calls_are_right():
    for entry in ENTRIES:
        found, said = answer(entry, **entry.arguments)
        assert said is None, f"{entry.name}: {said}"
        assert found is not None


def test_every_public_name_is_among_the_entries():
    there = {entry.name for entry in ENTRIES}
    results = {"__version__", "Diagnosis", "IsotropicWeight"}  # a result; one that takes a function
    assert set(stablib.__all__) - results <= there


def test_there_are_thousands_of_cases():
    cases = [
        case
        for entry in ENTRIES
        for argument in entry.bendable()
        for case in bent.of(entry.arguments[argument], optional=entry.optional(argument))
    ]
    print(f"{len(cases)} cases at {len(ENTRIES)} entry points")
    assert len(cases) > 6000


def test_no_argument_is_changed_by_a_call():
    for entry in ENTRIES:
        before = {n: _copy(v) for n, v in entry.arguments.items()}
        answer(entry, **entry.arguments)
        for name, value in before.items():
            if isinstance(value, np.ndarray):
                assert np.array_equal(value, entry.arguments[name]), f"{entry.name}: {name}"
