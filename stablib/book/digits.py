"""Numbers and durations in few digits, as tables and sentences show them."""

from __future__ import annotations

import re


def set_(text: str) -> str:
    """A text whose numbers do not break: powers of ten are formulas, and values keep their unit and letter.

    Example:
        >>> set_("off by 4e-04")
        'off by $4\\\\cdot10^{-4}$'
    """
    text = re.sub(r"\b0e\+00\b", "0", text)
    text = re.sub(r"\b([\d.]+)e([+-]\d+)\b", lambda m: rf"${m[1]}\cdot10^{{{int(m[2])}}}$", text)
    return re.sub(r"(?<=\d) (?=[µm]?s\b|min\b|%)| (?==)|(?<==) |(?<=[≤≥]) ", "\xa0", text)


def number(value: float) -> str:
    """A number to three digits.

    Example:
        >>> number(1.4142), number(31.62), number(12345.6)
        ('1.41', '31.6', '12,300')
    """
    value = float(f"{value:.3g}")
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}"


def duration(seconds: float) -> str:
    """Seconds in the unit that suits them.

    Example:
        >>> duration(1.36e-5), duration(0.0123), duration(42.0), duration(1234.0)
        ('13.6 µs', '12.3 ms', '42.0 s', '20.6 min')
    """
    for unit, size in (("min", 60.0), ("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size * (2 if unit == "min" else 1):
            break
    return f"{seconds / size:#.3g} {unit}".replace(". ", " ")
