"""Every public entry point with a call that is right: what the fuzzer bends, argument by argument."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import stablib
from stablib import EmpiricalWeight, IsotropicWeight, ShallowReLU
from stablib.radon import (
    atoms,
    deep,
    density,
    exact,
    harmonic,
    images,
    local,
    measures,
    polygon,
    primal,
    pyramid,
    quadrature,
    radial,
    sobolev,
    transforms,
)

RNG = np.random.default_rng(7)
NET = ShallowReLU(RNG.normal(size=(4, 2)), RNG.normal(size=4), RNG.normal(size=4), 0.3)
LINE = ShallowReLU([[1.0], [-0.5], [0.7]], [0.2, 0.4, -0.3], [0.5, -0.8, 0.9], 0.1)
X = RNG.normal(size=(6, 2))
Y = RNG.normal(size=6)
V = np.array([[0.6, 0.8], [1.0, 0.0], [0.0, -1.0]])
B = np.array([0.1, -0.2, 0.3])
WEIGHT = EmpiricalWeight(X)
HILL = sobolev.SmoothTarget("gaussian", [[0.0]])
CORNERS = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
ROOF = polygon.Roof(CORNERS)
DEEP = deep.DeepNet.pyramid(2)
GRID = np.linspace(0.0, 1.0, 64).reshape(8, 8)

# Arguments that are functions, or whose type is no question of data; nothing is bent there.
LEFT_ALONE = {"f", "phi", "marginal", "progress", "creases", "source", "weight", "module", "self"}


NONE_IS_A_VALUE = {("linearized_sgd", "y")}  # though it has to be said


@dataclass(frozen=True)
class Entry:
    """A callable, and arguments that it takes."""

    name: str
    call: Callable
    arguments: dict

    def bendable(self) -> list[str]:
        """The arguments to bend: those given here, in the order of the signature."""
        known = inspect.signature(self.call).parameters
        return [n for n in known if n in self.arguments and n not in LEFT_ALONE]

    def optional(self, argument: str) -> bool:
        """Whether None is a value of that argument."""
        known = inspect.signature(self.call).parameters[argument]
        return known.default is None or (self.name, argument) in NONE_IS_A_VALUE


def _entries() -> list[Entry]:
    net, data = {"net": NET, "X": X}, {"net": NET, "X": X, "y": NET(X)}
    line = {"net": LINE, "X": X[:, :1]}
    curved = {"loss_curvature": np.full(6, 2.0)}
    planes = {"v": V, "b": B}
    listed = {
        "ShallowReLU": {"W1": NET.W1, "b1": NET.b1, "w2": NET.w2, "b2": 0.3},
        "EmpiricalWeight": {"X": X, "probabilities": np.full(6, 1 / 6)},
        "stability_norm": net,
        "parametric_stability_norm": net,
        "one_sided_norm": net,
        "r_norm": {"net": NET},
        "tangent_features": net,
        "tangent_gram": net | curved,
        "sharpness": {"net": NET, "X": X, "y": Y},
        "sharpness_interval": {"net": NET, "X": X, "y": Y, "sides": 1e-9},
        "hessian_operator": {"net": NET, "X": X, "y": Y},
        "sharpness_lower_bound": net | curved,
        "sharpness_upper_bound": net | curved,
        "max_stability_norm": {"step_size": 0.2},
        "sufficient_stability": net | {"step_size": 0.2},
        "flattest_implementation": net | curved,
        "equivalent_implementation": {"net": NET, "seed": 1, "spread": 0.5},
        "implementation_free_bound": net | {"density": np.full((6, 6), 1 / 6), "tol": 1e-6},
        "affine_aware_bound": line | {"density": np.full((6, 6), 1 / 6), "tol": 1e-6},
        "least_sharpness": line | {"tol": 1e-6},
        "gd_threshold": {"net": NET, "X": X, "y": Y},
        "sgd_threshold": data | {"batch_size": 2, "tol": 1e-6},
        "sgd_threshold_interval": data | {"batch_size": 2, "tol": 1e-6},
        "sgd_threshold_bounds": net | {"batch_size": 2},
        "small_batch_norm": net,
        "max_small_batch_norm": {"step_size": 0.2, "batch_size": 2, "n": 6},
        "takeover_batch": net | {"of": "network"},
        "extreme_points": {"X": X},
        "memoriser": {"X": np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]]), "y": Y[:3], "b2": 0.1},
        "least_interpolating_norm": {"X": X[:, :1], "y": Y, "near": 1e-6},
        "linearized_sgd": data
        | {"step_size": 0.1, "batch_size": 2, "radius": 0.1, "steps": 3, "runs": 2, "seed": 0},
        "diagnose": {"net": NET, "X": X, "y": Y, "step_size": 0.1, "batch_size": 2},
        "Dataset": {"X": X, "y": Y},
        "gaussian": {"n": 5, "d": 2, "seed": 0},
        "two_points": {"p": np.array([1.0, 0.5])},
        "plane": {"n": 5, "seed": 0, "noise": 0.1},
        "mnist01": {"n": 4, "seed": 0},
        "gradient_descent": {"net": NET, "X": X, "y": Y, "step_size": 0.1, "tol": 1e-2}
        | {"max_steps": 5, "warmup": 2, "record_every": 2},
        "sgd": {"net": NET, "X": X, "y": Y, "step_size": 0.1, "batch_size": 2, "seed": 0}
        | {"tol": 1e-2, "patience": 1, "max_epochs": 3, "warmup": 1, "sampling": "uniform"}
        | {"dtype": "float64", "record_every": 1},
    }
    entries = [Entry(name, getattr(stablib, name), given) for name, given in listed.items()]
    isotropic = IsotropicWeight()
    more = {
        "ShallowReLU()": (NET.__call__, {"X": X}),
        "preactivations": (NET.preactivations, {"X": X}),
        "rescale": (NET.rescale, {"c": np.array([1.0, 2.0, 0.5, 3.0])}),
        "canonical": (NET.canonical, {"tol": 1e-9}),
        "knots_on_data": (NET.knots_on_data, {"X": X, "tol": 1e-3}),
        "initial": (
            ShallowReLU.initial,
            {"d": 2, "k": 3, "scale": 2.0, "scheme": "he", "seed": 0},
        ),
        "g_tilde": (WEIGHT.g_tilde, planes),
        "g": (WEIGHT.g, planes),
        "g_hat": (WEIGHT.g_hat, planes),
        "isotropic g": (isotropic.g, planes),
        "SmoothTarget": (
            sobolev.SmoothTarget,
            {
                "shape": "bump",
                "centres": [[0.0], [1.0]],
                "heights": [1.0, 2.0],
                "widths": [1.0, 0.5],
            },
        ),
        "target": (HILL.__call__, {"X": X[:, :1]}),
        "derivative": (HILL.derivative, {"order": [1], "X": X[:, :1]}),
        "target density": (HILL.density, {"v": np.array([[1.0], [-1.0]]), "b": B[:2]}),
        "target g_hat_norm": (HILL.g_hat_norm, {"X": X[:, :1], "directions": 2}),
        "sampled_network": (
            atoms.sampled_network,
            {"target": HILL, "k": 3, "how": "random", "seed": 1},
        ),
        "ball": (atoms.ball, {"places": 4, "d": 1, "radius": 2.0, "seed": 0}),
        "ball_errors": (
            atoms.ball_errors,
            {"net": LINE, "target": HILL, "radius": 1.0, "places": 16},
        ),
        "sphere": (quadrature.sphere, {"directions": 2}),
        "rho gaussian": (density.gaussian, {"r": B + 1}),
        "rho two_points": (density.two_points, {"x": X}),
        "rho empirical": (density.empirical, {"X": X, "points": X[:2], "eps": 0.3, "angles": 12}),
        "smoothed_weight": (density.smoothed_weight, {"X": X, "v": V, "b": B, "eps": 0.3}),
        "gaussian_radon": (exact.gaussian_radon, {"v": V, "b": B, "mean": X[0], "width": 0.5}),
        "ball_radon": (exact.ball_radon, {"b": B, "radius": 1.0, "d": 2}),
        "saddle": (harmonic.saddle, {"directions": 8, "offsets": 6}),
        "radon_image": (images.radon_image, {"image": GRID, "angles": B}),
        "inverse_radon_image": (
            images.inverse_radon_image,
            {"sinogram": np.ones((4, 8)), "angles": np.arange(4) * np.pi / 4},
        ),
        "harmonic_spike": (
            local.harmonic_spike,
            {"points": X, "corner": X[0], "eps": 0.05, "reach": 0.2},
        ),
        "laplacian": (measures.laplacian, {"net": NET}),
        "mollified": (measures.laplacian(NET).mollified, {"points": X, "eps": 0.2}),
        "Roof": (polygon.Roof, {"vertices": CORNERS}),
        "roof density": (ROOF.density, {"theta": B + 1, "b": B / 2}),
        "pyramid": (pyramid.pyramid, {"x": X}),
        "pyramid density": (pyramid.density, {"theta": B + 0.5, "b": B / 2}),
        "truncated_norm": (pyramid.truncated_norm, {"eps": 0.1}),
        "primal_norm": (primal.primal_norm, {"net": NET, "X": X, "eps": 0.3, "nodes": 8}),
        "ramp": (transforms.ramp, {"values": np.sin(B), "step": 0.1}),
        "gamma": (transforms.gamma, {"d": 3}),
        "inverse_dual_radial": (
            radial.inverse_dual_radial,
            {"f": lambda r: np.exp(-(np.minimum(r, 100.0) ** 2) / 2), "b": B, "step": 1e-3},
        ),
        "deep features": (DEEP.features, {"X": X}),
        "deep sharpness": (DEEP.sharpness, {"X": X}),
        "deep of": (deep.DeepNet.of, {"parameters": DEEP.parameters(), "d": 2}),
    }
    return entries + [Entry(name, call, given) for name, (call, given) in more.items()]


ENTRIES = _entries()
