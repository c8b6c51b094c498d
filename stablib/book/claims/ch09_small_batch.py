"""Claims of chapter 09 on small batches: what they bound, and where they take over from the sharpness."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, product
from typing import NamedTuple

import numpy as np

from ...curvature import sharpness, tangent_gram
from ...small_batch import (
    max_small_batch_norm,
    sgd_threshold_bounds,
    small_batch_norm,
    takeover_batch,
)
from ...stability import sgd_threshold
from . import cases
from .cases import Case
from .ch02_definitions import slack
from .registry import Verdict, claim

EXACT = 1e-8  # the relative error that a threshold, or an equality, may have
_LARGE = 200  # points; beyond it an exact threshold takes half a second


class Ceiling(NamedTuple):
    """What a batch size leaves to the step size at a minimum, and two ceilings of it.

    Attributes:
        batch_size: B.
        share: threshold of SGD divided by that of gradient descent, 2/lambda.
        ceiling: the lesser of 1 and lambda/(q trace): both ceilings, divided by 2/lambda.
        spread: kappa, the largest |phi_j|^2 over their mean.
        noise: q.
    """

    batch_size: int
    share: float
    ceiling: float
    spread: float
    noise: float


def ceilings(case: Case, sizes: Iterable[int], *, replacement: bool = False) -> list[Ceiling]:
    """Exact thresholds beside their ceilings, at several batch sizes.

    Args:
        case: a minimum.
        sizes: batch sizes.
        replacement: how batches are drawn.
    """
    net, X, n = case.net, case.X, len(case.X)
    size2, top = np.diag(tangent_gram(net, X)), sharpness(net, X)
    out = []
    for B in sizes:
        q = 1 / B if replacement else (n - B) / (B * max(n - 1, 1))
        share = sgd_threshold(net, X, B, replacement=replacement) * top / 2
        ceiling = min(1.0, top / (q * size2.mean())) if q > 0 else 1.0
        out.append(Ceiling(B, share, ceiling, size2.max() / size2.mean(), q))
    return out


class Takeover(NamedTuple):
    """Where small batches take over at a minimum.

    Attributes:
        name: of the minimum.
        network: B* at which 2/(q trace) is 2/lambda.
        function: B* at which the theorem for small batches asks for more than Theorem 1.
        norm: sum of |a_h| times the lesser g-hat, over the stability norm.
        spread: kappa, the largest |phi_j|^2 over their mean.
        single: the threshold of single points, divided by its ceiling 2/trace.
    """

    name: str
    network: float
    function: float
    norm: float
    spread: float
    single: float


def takeovers(minima: Iterable[Case] | None = None) -> list[Takeover]:
    """B* at every trained minimum at hand, and how near the threshold of single points is to 2/trace.

    Args:
        minima: others, if not those.
    """
    from ...norms import stability_norm

    out = []
    for case in cases.trained() if minima is None else minima:
        one = ceilings(case, [1])[0]
        network, function = (
            takeover_batch(case.net, case.X, of=of) for of in ("network", "function")
        )
        ratio = small_batch_norm(case.net, case.X) / stability_norm(case.net, case.X)
        out.append(
            Takeover(case.name, network, function, ratio, one.spread, one.share / one.ceiling)
        )
    return out


def _sizes(n: int) -> list[tuple[int, bool]]:
    """Batch sizes 1, 2, 4, ..., of both kinds; fewer where there are many points."""
    powers = 2 ** np.arange(int(np.log2(n)) + 1)
    if n > _LARGE:
        return [(1, False), (16, True)]
    return [(int(B), replacement) for B, replacement in product(powers, (False, True))]


@claim(
    "new-small-batch",
    kind="theorem",
    says="q eta (1 + 2 sum |a_h| min g-hat) <= 2; threshold = min(2/lambda, 2/(q tr H)) up to 1 + kappa - q",
    where="new",
    cases=lambda: chain(cases.adversarial(), cases.random(40, seed=9, n_max=9), cases.trained()),
)
def small_batches(minima: Iterable[Case]) -> Verdict:
    """The theorem with the exact threshold as step size, and what can be proven about that threshold.

    For B = 1, 2, 4, ... and both ways to draw, with q = (n - B)/(B (n - 1)) or 1/B: the norm against
    1/(q eta) - 1/2; the trace against 1 + 2 norm; the threshold below both ceilings, 2/lambda and
    2/(q trace), and above the lesser of them divided by kappa + 1 - q, where kappa is the largest |phi_j|^2
    over their mean; the closed-form bounds around it. At hundreds of points the exact threshold is computed
    at every other minimum, for B = 1; elsewhere the upper closed form takes its place, which asks for more.
    And B*: at q = lambda/trace both ceilings meet. Relative margins; what is within 1e-8 is an equality.
    """

    def margins() -> Iterator[float]:
        for number, (net, X, *_) in enumerate(minima):
            n, K = len(X), tangent_gram(net, X)
            size2, top, wide = np.diag(K), sharpness(net, X), small_batch_norm(net, X)
            trace, spread = size2.mean(), size2.max() / size2.mean()
            yield slack(1 - (1 + 2 * wide) / trace, EXACT)
            for replacement in (False, True)[: 1 if n > _LARGE else 2]:
                B = takeover_batch(net, X, replacement=replacement)
                meets = 1 / B if replacement else (n - B) / (B * max(n - 1, 1))
                yield 1 - abs(meets * trace / top - (n > 1 or replacement)) / EXACT
            for B, replacement in _sizes(n):
                q = 1 / B if replacement else (n - B) / (B * max(n - 1, 1))
                low, high = sgd_threshold_bounds(net, X, B, replacement=replacement)
                eta = high
                if n <= _LARGE or (B == 1 and number % 2 == 0):
                    eta = sgd_threshold(net, X, B, replacement=replacement)
                    yield slack(min(1 - low / eta, 1 - eta / high), EXACT)
                limit = max_small_batch_norm(eta, B, n, replacement=replacement)
                yield slack(1 - (1 + 2 * wide) / (1 + 2 * limit), EXACT)
                ceiling = min(2 / top, 2 / (q * trace) if q > 0 else np.inf)
                yield slack(1 - eta / ceiling, EXACT)
                yield slack(1 - ceiling / (spread + 1 - q) / eta, EXACT)

    return Verdict.of(margins())
