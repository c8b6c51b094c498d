"""Everything the library knows of one minimum: how sharp it is, must be and could be, and who finds it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import checks, findings, links
from .curvature import OVERFLOW, sharpness, tangent_gram
from .findings import Check, Link, Neurons, Step
from .links import or_reason
from .modules import check_forward, is_module, parameters_of
from .network import ShallowReLU
from .norms import one_sided_norm, parametric_stability_norm, stability_norm

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STATIONARY = 1e-6  # the share of mean(y^2)/2 that a gradient step may still take off the loss


@dataclass(frozen=True, repr=False, eq=False)
class Diagnosis:
    """What `diagnose` found: print it for a table, plot it for a picture, or read its fields.

    Args:
        net: the network.
        n: number of data points.
        step_size: eta, as it was given, or None.
        batch_size: as it was given, or None.
        loss: (1/2n) sum (f(x_j) - y_j)^2.
        gradient_norm: length of its gradient.
        decrease: what one gradient step of size 1/sharpness would take off it, relative to mean(y^2)/2.
        trace: trace of the Hessian.
        sharpness: Link, the top eigenvalue of the full Hessian.
        over_sides: Link, its range where hyperplanes within 1e-5 of a data point may pass on either side.
        lower_bound: Link, 1 + 2 stability norm, below which no implementation of f is.
        own_side_bound: Link, 1 + 2 one-sided norm, below which no rescaling of the network is.
        flattest: Link, the least sharpness of its rescalings.
        upper_bound: Link, what some implementation of f with at most k + 2 neurons does not exceed.
        gd_threshold: Link, the largest step size at which gradient descent is linearly stable here.
        sgd_thresholds: Links, the same for SGD in mean square, one for each batch size looked at.
        smallest_batch: Link, the smallest batch size at which SGD with `step_size` is stable in mean square;
            None without a step size, or where a batch size was given.
        chain: Checks, what `step_size` demands, link by link; empty without a step size.
        slack: Steps from 2/step_size, or from the sharpness, down to 1 + 2 norm.
        neurons: Neurons that are special on the data.
        notes: sentences on what to mind.

    Arguments and errors as for `diagnose`, which makes it.

    Example:
        >>> X = [[-2.0], [-1.0], [1.0], [2.0]]
        >>> kink = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, 1.0])     # |x|
        >>> found = diagnose(kink, X, kink(X))
        >>> round(found.sharpness.value, 6), found.sharpness.status, found.neurons.nearest
        (3.903943, 'proven', 1.0)

    Source: the chain (23).
    """

    net: ShallowReLU
    n: int
    step_size: float | None
    batch_size: int | None
    loss: float
    gradient_norm: float
    decrease: float
    trace: float
    sharpness: Link
    over_sides: Link
    lower_bound: Link
    own_side_bound: Link
    flattest: Link
    upper_bound: Link
    gd_threshold: Link
    sgd_thresholds: tuple[Link, ...]
    smallest_batch: Link | None
    chain: tuple[Check, ...]
    slack: tuple[Step, ...]
    neurons: Neurons
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        from .report import text

        return text(self)

    def _repr_html_(self) -> str:
        from .report import page

        return page(self)

    def plot(self) -> Figure:
        """The slack as a waterfall, with the flattest rescaling as a line: a matplotlib Figure."""
        from .waterfall import waterfall

        return waterfall(self)


def diagnose(
    net: Any, X: Any, y: Any, step_size: float | None = None, batch_size: int | None = None
) -> Diagnosis:
    """Say how sharp a minimum is, must be and could be, and which step and batch sizes could have found it.

    Args:
        net: a ShallowReLU, or a torch module Linear-ReLU-Linear with one output.
        X: data points, shape (n, d).
        y: labels, shape (n,); the loss is (1/2n) sum (f(x_j) - y_j)^2. Where the minimum does not
            interpolate, what then has no meaning stays empty and says why.
        step_size: eta; with it each link of 1 + 2 norm <= flattest <= sharpness <= 2/eta is checked.
        batch_size: of SGD, drawn without replacement; without it batches of 1 and 16 are looked at, and
            with a step size the smallest one that could have found the minimum is looked for.

    Returns:
        Diagnosis; every number in it says how it is known.

    Raises:
        ValueError: if `net` is neither, X or y does not fit it, a size is not positive, the batch is larger
            than the data, or the curvature exceeds what float64 holds.

    Example:
        >>> X = [[-2.0], [-1.0], [1.0], [2.0]]
        >>> kink = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, 1.0])     # |x|
        >>> found = diagnose(kink, X, kink(X), step_size=0.25)
        >>> {step.name: round(step.amount, 6) for step in found.slack if step.share > 1e-9}
        {'dynamics': 4.096057, 'test vector': 0.153943, 'balance': 0.045837}

    Source: the chain (23), with Lemmas 1, 2 and 3 and Theorem 1.
    """
    net = _network(net)
    X = checks.points_of(X, net)
    y = checks.labels(y, len(X))
    if step_size is not None:
        step_size = checks.positive(step_size, "step_size")
    if batch_size is not None and checks.count(batch_size, "batch_size") > len(X):
        raise ValueError(
            f"batch_size is {batch_size}, but X has {len(X)} rows; at most that is needed"
        )
    try:
        with np.errstate(all="ignore"):  # what overflows becomes an error, or the reason of a link
            return _diagnose(net, X, y, step_size, batch_size)
    except OverflowError:
        raise ValueError(OVERFLOW) from None


def _network(net: Any) -> ShallowReLU:
    if isinstance(net, ShallowReLU):
        return net
    wanted = "diagnose() reads Linear-ReLU-Linear with one output"
    if not is_module(net):
        raise ValueError(f"net is {type(net).__name__}; a ShallowReLU or a torch module is needed")
    out = ShallowReLU(*parameters_of(net, wanted))
    check_forward(net, out, out.d, wanted)
    return out


def _diagnose(
    net: ShallowReLU, X: np.ndarray, y: np.ndarray, step_size: float | None, batch_size: int | None
) -> Diagnosis:
    n, gram, residual = len(X), tangent_gram(net, X), net(X) - y
    loss = float(np.mean(residual**2) / 2)
    gradient_norm = float(np.sqrt(max(residual @ gram @ residual, 0.0))) / n
    if not np.isfinite([gram.sum(), loss, gradient_norm]).all():
        raise ValueError(OVERFLOW)
    sharp, smooth = links.sharpness_link(net, X, y), sharpness(net, X)
    scale = max(float(np.mean(y**2) / 2), loss)
    decrease = gradient_norm**2 / (2 * sharp.value * scale) if scale > 0 else 0.0
    own, parametric, merged = (
        1 + 2 * norm(net, X) for norm in (one_sided_norm, parametric_stability_norm, stability_norm)
    )
    neurons = findings.special_neurons(net, X)
    lower = links.lower_link(merged)
    flattest = or_reason("flattest rescaling", links.flattest_link, net, X)
    over_sides = or_reason("over the sides", links.sides_link, net, X, y, neurons.pairs)
    sizes = [size for size in (1, 16) if size < len(X)] if batch_size is None else [batch_size]
    sgd = tuple(
        or_reason(f"SGD, batch size {size}", links.sgd_link, net, X, loss, size) for size in sizes
    )
    chain: tuple[Check, ...] = ()
    smallest = None
    if step_size is not None and batch_size is None:
        smallest = or_reason("smallest batch", links.batch_link, net, X, step_size, sharp, sgd)
    if step_size is not None:
        asked = None if batch_size is None else sgd[0]
        chain = findings.chain_checks(
            lower, flattest, sharp, sharp.value - smooth, step_size, asked
        )
    levels = [sharp.value, smooth, float(gram.mean()), own, parametric, merged]
    return Diagnosis(
        net=net,
        n=len(X),
        step_size=step_size,
        batch_size=batch_size,
        loss=loss,
        gradient_norm=gradient_norm,
        decrease=decrease,
        trace=float(np.trace(gram)) / len(X),
        sharpness=sharp,
        over_sides=over_sides,
        lower_bound=lower,
        own_side_bound=links.own_side_link(own),
        flattest=flattest,
        upper_bound=or_reason("upper bound", links.upper_link, net, X),
        gd_threshold=links.gd_link(sharp),
        sgd_thresholds=sgd,
        smallest_batch=smallest,
        chain=chain,
        slack=findings.slack_steps(levels, step_size),
        neurons=neurons,
        notes=tuple(_notes(loss, gradient_norm, decrease, over_sides, neurons, step_size)),
    )


def _notes(
    loss: float,
    gradient_norm: float,
    decrease: float,
    over_sides: Link,
    neurons: Neurons,
    step_size: float | None,
) -> Iterator[str]:
    if decrease > STATIONARY:
        yield (
            f"This is no smooth minimum: the gradient has length {gradient_norm:#.7g}, and one gradient step "
            f"of size 1/sharpness would lower the loss by {100 * decrease:.2g} % of mean(y^2)/2. What is "
            "said of minima does not apply."
        )
    if loss > links.INTERPOLATES:
        yield (
            f"The loss is {loss:#.7g}: the network does not interpolate. The flattest rescaling and the "
            "upper bound are those for the labels f(X), at which it would."
        )
    if neurons.pairs:
        count = len(neurons.on_data)
        yield (
            f"{count} hyperplane{'s' * (count > 1)} pass within {findings.KNOT:g} of data points "
            f"({neurons.pairs} pairs): to that accuracy the loss is not twice differentiable here, and the "
            "sharpness depends on the sides."
        )
    if step_size is not None and over_sides.value is not None:
        edge = 2 / step_size
        if over_sides.low <= edge < over_sides.high and neurons.pairs:
            yield f"2/eta = {edge:#.7g} lies inside the range of the sharpness over the sides."
