"""The Laplacian as a measure against integrals of the function itself, and the saddle's norm."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stablib import IsotropicWeight, ShallowReLU, stability_norm
from stablib.radon import density, harmonic
from stablib.radon.measures import laplacian


def net_of(seed, k=5, d=2):
    rng = np.random.default_rng(seed)
    return ShallowReLU(rng.normal(size=(k, d)), rng.normal(size=k), rng.normal(size=k))


def test_the_mollified_laplacian_is_the_function_against_the_laplacian_of_the_bump():
    net, eps = net_of(0), 0.3
    axis, h = np.linspace(-2.4, 2.4, 800, endpoint=False, retstep=True)
    y = np.stack(np.meshgrid(axis + h / 2, axis + h / 2), axis=-1).reshape(-1, 2)
    r2 = (y**2).sum(axis=1) / eps**2
    bump = (r2 - 2) / eps**2 * np.exp(-r2 / 2) / (2 * np.pi * eps**2)
    for x in np.random.default_rng(1).normal(size=(4, 2)):
        known = net(x + y) @ bump * h**2
        assert laplacian(net).mollified(x[None], eps)[0] == pytest.approx(known, abs=1e-5)


def test_dots_are_even_and_add_up_to_the_bends():
    net = ShallowReLU([[3.0, 4.0], [-0.6, -0.8]], [-5.0, 1.0], [2.0, -4.0])
    a, v, b = laplacian(net).atoms()  # slopes 10 and -4 on one line, facing each other
    assert_allclose(a, [3.0, 3.0])
    assert_allclose(v[0], -v[1])
    assert_allclose(b, [1.0, -1.0])


def test_pairing_sees_only_the_even_part():
    measure = laplacian(net_of(2, d=3))
    assert measure.pair(lambda v, b: v[:, 0] + b) == pytest.approx(0, abs=1e-14)
    assert measure.pair(lambda v, b: np.ones(len(b))) == pytest.approx(measure.a.sum())
    assert measure.absolute().pair(lambda v, b: 1 + b) == pytest.approx(measure.total)


def test_an_affine_function_has_no_laplacian():
    line = ShallowReLU([[1.0, 2.0], [-1.0, -2.0]], [0.5, -0.5], [1.0, -1.0])
    assert laplacian(line).total == 0
    assert repr(laplacian(line)) == "HyperplaneMeasure(0 on 0 hyperplanes, d=2)"


def test_bad_input_is_named():
    measure = laplacian(net_of(3))
    with pytest.raises(ValueError, match="phi returned shape"):
        measure.pair(lambda v, b: v)
    with pytest.raises(ValueError, match="points has 3 columns"):
        measure.mollified(np.ones((2, 3)), 0.1)
    with pytest.raises(ValueError, match="eps is 0"):
        measure.mollified(np.ones((2, 2)), 0)
    with pytest.raises(ValueError, match="directions is 6"):
        harmonic.saddle(6)
    with pytest.raises(ValueError, match="weight is list"):
        harmonic.saddle_norm([1.0])


def disc(count=400, seed=0):
    x = np.random.default_rng(seed).normal(size=(count, 2))
    return x / np.maximum(1, np.linalg.norm(x, axis=1))[:, None]


@pytest.mark.parametrize("net", [harmonic.saddle(), harmonic.two_ridges()])
def test_both_saddles_are_the_saddle_on_the_disc(net):
    x = disc()
    assert np.abs(net(x) - np.pi / 4 * (x[:, 0] ** 2 - x[:, 1] ** 2)).max() < 2e-5


def test_their_norms_are_four_and_pi_times_the_area_under_g():
    weight = IsotropicWeight(density.uniform_disc())
    dense, least = harmonic.saddle_norm(weight)
    assert dense == pytest.approx(0.203455, abs=1e-6)
    assert least / dense == pytest.approx(np.pi / 4)
    assert stability_norm(harmonic.saddle(), weight) == pytest.approx(dense, rel=1e-3)
    assert stability_norm(harmonic.two_ridges(), weight) == pytest.approx(least, rel=1e-3)


def test_smoothed_beyond_its_spacing_the_dense_saddle_has_no_laplacian():
    lines, x = laplacian(harmonic.saddle(128, 400)), 0.6 * disc(50)
    signed = np.abs(lines.mollified(x, 0.1)).max()
    unsigned = lines.absolute().mollified(x, 0.1).min()
    assert signed < 1e-3 * unsigned
