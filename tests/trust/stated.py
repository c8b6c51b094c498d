"""What a property test is about: the functions of the library that it states something of."""

from collections.abc import Callable


def states(*things: object) -> Callable[[Callable], Callable]:
    """Say which functions, classes or properties a test is about; the test then carries their full names."""

    def mark(test: Callable) -> Callable:
        test.states = frozenset(map(full_name, things))
        return test

    return mark


def full_name(thing: object) -> str:
    """Module and qualified name of a function, class, method or property."""
    thing = getattr(thing, "fget", None) or getattr(thing, "func", None) or thing
    return f"{thing.__module__}.{thing.__qualname__}"
