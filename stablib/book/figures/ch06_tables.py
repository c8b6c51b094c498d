"""Tables of chapter 06, as text: norms, rates, and the proof of Lemma 2 line by line."""

from __future__ import annotations

import numpy as np

from ...bounds import _printed_upper_bound, sharpness_upper_bound, upper_bound_implementation
from ...flattest import flattest_implementation
from ...network import ShallowReLU
from ...radon.transforms import gamma
from ..approximation import WIDTHS, mass
from ..claims import cases
from ..claims.ch06_affine import steps
from ..claims.ch06_sobolev import norms, rates, slope, targets
from ..claims.ch06_stable import Corrected, room
from .ch06 import row, shown


def rates_table() -> str:
    """Errors of three ways over k in space, and the exponents of their fall."""
    ways = ("random", "sobol", "fitted")
    found = {how: rates(3, how)[1] for how in ways}
    lines = ["     k    random     Sobol    fitted"]
    for place, k in enumerate(WIDTHS):
        lines.append(f"{k:6}" + "".join(f"{found[how][place]:10.4f}" for how in ways))
    exponents = [slope(np.array(WIDTHS), found[how]) for how in ways]
    return "\n".join([*lines, "k^    " + "".join(f"{value:10.2f}" for value in exponents)])


def norms_table() -> str:
    """Norms, flattest rescaling and the two upper bounds of f_k, in space, beside the target's."""
    lines = ["     k   R-norm  with g-hat  lower  flattest  k + 2 neurons  as printed"]
    for k in WIDTHS[2:]:
        r = row("priced", k)
        lines.append(
            f"{k:6} {r['r_norm']:8.4f} {r['priced']:11.4f} {r['lower']:6.3f} {r['flattest']:9.3f}"
            f" {r['upper']:14.3f} {r['printed']:11.2f}"
        )
    return "\n".join([*lines, f"  hill {mass(3)[0]:8.4f} {sum(mass(3)):11.4f}"])


def sobolev_table() -> str:
    """What both norms of a hill are bounded by, link by link of (121) and (122)."""
    lines = ["                  both norms  |alpha| (1 + |b|)     (121)  all orders"]
    for number in (0, 3, 4, 5):
        target, n = targets()[number], norms(number)
        name = f"{target.shape}, d = {target.d}"
        lines.append(
            f"{name:16} {n.r_norm + n.priced:11.3f} {n.reach:18.3f}"
            f" {gamma(target.d) * n.laplacian:9.2f} {gamma(target.d) * n.orders.sum():11.2f}"
        )
    return "\n".join(lines)


def counterexample_table(net: ShallowReLU, X: np.ndarray) -> str:
    """The flattest network as it is, the printed bound, and the flattest with two more neurons.

    Args:
        net: the network.
        X: data points, shape (n, d).
    """
    wide = upper_bound_implementation(net, X)
    rows = [
        (f"{net.k} neurons, none flatter than", flattest_implementation(net, X).lower_bound),
        ("(19), the larger g-hat of both sides", _printed_upper_bound(net, X, "larger")),
        ("(19), the smaller one", _printed_upper_bound(net, X, "smaller")),
        (f"{wide.k} neurons, flattest rescaling", flattest_implementation(wide, X).sharpness),
    ]
    return "\n".join(f"{name:38} {value:8.4f}" for name, value in rows)


def steps_table() -> str:
    """The proof of Lemma 2 line by line, for four networks."""
    four = [(name, case) for name, case in shown() if not name.startswith("random")]
    columns = [steps(case.net, case.X) for _, case in four]
    heads = [name.replace("$", "").replace("trained, d = ", "trained d=") for name, _ in four]
    names = (
        "(99) sharpness as it is",
        "(101) first term n",
        "(103) q frozen",
        "(104) trace as it is",
        "flattest rescaling",
        "(105) least trace",
        "(110) canonical, with a pair",
        "(113) the pair, bounded",
        "(116) largest variance",
        "(120) slope by the R-norm",
    )
    lines = [" " * 29 + "".join(f"{head.split(', D')[0]:>13}" for head in heads)]
    lines += [
        f"{name:29}" + "".join(f"{column[place]:13.2f}" for column in columns)
        for place, name in enumerate(names)
    ]
    sharper = "".join(f"{sharpness_upper_bound(c.net, c.X):13.2f}" for _, c in four)
    return "\n".join([*lines, f"{'our lemma':29}" + sharper])


def room_table() -> str:
    """How wide the gap is, for the trained networks of the figure."""
    lines = ["   d   step   (10) / (20)   (10) / flattest rescaling"]
    for case in [*cases.stored("overview"), *cases.descended()]:
        at = room(case.net, case.X)
        lines.append(
            f"{case.net.d:4} {case.step_size:6.3f} {at.necessary / at.sufficient:12.2f}"
            f" {at.necessary / at.rescaled:14.2f}"
        )
    return "\n".join(lines)


def labels_table(rows: tuple[Corrected, ...]) -> str:
    """Networks f_k with labels that do not depend on k: the error that is corrected, and what it adds.

    Args:
        rows: of `claims.ch06_stable.corrected`.
    """
    lines = ["     k   largest error   R-norm added   left over   flattest rescaling"]
    lines += [
        f"{r.k:6} {r.missed:15.4f} {r.added:14.4f} {'below 1e-12' if r.left < 1e-12 else r.left:>11}"
        f" {r.sharpness:20.3f}"
        for r in rows
    ]
    return "\n".join(lines)
