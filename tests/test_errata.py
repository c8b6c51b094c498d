"""Every number on the page of errata, computed again."""

import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from stablib import (
    EmpiricalWeight,
    IsotropicWeight,
    ShallowReLU,
    flattest_implementation,
    hessian_operator,
    max_stability_norm,
    one_sided_norm,
    parametric_stability_norm,
    sharpness,
    sharpness_interval,
    sharpness_lower_bound,
    sharpness_upper_bound,
    stability_norm,
    tangent_features,
)
from stablib.book.claims.ch04_examples import printed_82, two_point_line
from stablib.book.claims.ch05_deep import scattered
from stablib.book.claims.ch05_pyramid import diamond
from stablib.book.claims.ch05_separation import local_rate
from stablib.book.claims.ch06_affine import affine_pair
from stablib.book.claims.ch06_lemma2 import frozen
from stablib.book.claims.ch06_stable import corrected
from stablib.bounds import _printed_upper_bound
from stablib.radon import density, exact, harmonic, pyramid, transforms
from stablib.radon.deep import DeepNet
from stablib.radon.local import corner_rate
from stablib.radon.measures import laplacian
from stablib.radon.sobolev import SmoothTarget

PAGE = (Path(__file__).resolve().parents[1] / "pages" / "errata.md").read_text(encoding="utf-8")


def printed(entry):
    """The numbers with six decimals in the entry's smallest example, in order."""
    text = re.split(r"\(erratum-\w+\)=", PAGE)[[*ENTRIES].index(entry) + 1]
    return [
        float(number) for number in re.findall(r"\d+\.\d{6}", text.split("Smallest example")[1])
    ]


ENTRIES = re.findall(r"\(erratum-(\w+)\)=", PAGE)


def line(*rows, bias=0.0):
    """A network in d = 1 from rows (w1, b1, w2)."""
    w1, b1, w2 = np.transpose(rows)
    return ShallowReLU(w1[:, None], b1, w2, bias)


def test_t1_theorem_1_allows_six_times_what_the_misprint_allows():
    assert max_stability_norm(0.5) == 1.5
    assert (1 / 0.5 - 0.5 - 1) / 2 == 0.25


def test_t2_a_function_without_a_knot_has_no_norm_however_it_is_written():
    net, X = line((1, 0, 1), (-1, 0, -1)), [[-1.0], [1.0]]
    assert stability_norm(net, X) == 0
    assert [parametric_stability_norm(net, X)] == pytest.approx(printed("t2"), abs=5e-7)


def test_t3_two_neurons_that_face_each_other_make_a_bend():
    kink = line((1, 0, 1), (-1, 0, 1))
    assert [stability_norm(kink, [[-1.0], [1.0]])] == pytest.approx(printed("t3"), abs=5e-7)


def test_t5_without_a_bound_the_pairing_grows_with_the_test_function():
    value = exact.gaussian_radon([1.0, 0.0], 0.0, [0.0, 0.0], 0.1) / (2 * np.pi * 0.1**2)
    assert [float(value)] == pytest.approx(printed("t5"), abs=5e-7)
    crease = laplacian(ShallowReLU([[1.0, 0.0]], [0.0], [1.0]))
    assert crease.total == 1


def test_t6_the_other_convention_is_off_by_two_pi():
    bell = transforms.inverse_radon(
        lambda v, b: exact.gaussian_radon(v, b, [0.0, 0.0]), [[0.0, 0.0]], nodes=801
    )
    assert [bell[0], bell[0] / (2 * np.pi)] == pytest.approx(printed("t6"), abs=5e-7)
    dual = transforms.dual_radon(lambda v, b: 2 * v[:, 0] ** 2 - 1, [[0.3, 0.9]])
    assert dual == pytest.approx(0, abs=1e-12)


def test_t14_a_saddle_without_laplacian_has_a_norm():
    weight = IsotropicWeight(density.uniform_disc())
    assert harmonic.saddle_norm(weight) == pytest.approx(printed("t14"), abs=5e-7)
    assert stability_norm(harmonic.saddle(), weight) == pytest.approx(printed("t14")[0], rel=1e-3)


def test_t19_at_a_jump_smoothing_finds_the_mean_of_both_sides():
    X = [[2.0, 10.0], [0.5, -10.0], [-3.0, 0.0]]
    g = EmpiricalWeight(X).g([1.0, 0.0], [0.5, 0.5 - 1e-12, 0.5 + 1e-12])
    smoothed = density.smoothed_weight(X, [1.0, 0.0], 0.5, 1e-9)
    assert [*g, smoothed] == pytest.approx(printed("t19"), abs=5e-7)


def test_t4_a_hidden_hyperplane_changes_the_gradient_from_one_side_to_the_other():
    x = np.array([[0.0]])
    above, below = line((1, 1e-9, 1), (-1, 0, -1)), line((1, -1e-9, 1), (-1, 0, -1))
    slope = [net.preactivations(x)[0, 0] > 0 for net in (above, below)]
    assert slope == [True, False]
    assert len(line((1, 0, 1), (-1, 0, -1)).canonical().a) == 0


def test_t7_the_printed_denominator_misses_rho():
    assert printed_82(0.5, 0.3)[:2] == pytest.approx(printed("t7")[:2], abs=5e-7)
    assert [printed_82(0.5, 0.3)[2]] == pytest.approx(printed("t7")[2:], abs=5e-7)


def test_t8_both_asymptotes_have_constants():
    bend = IsotropicWeight().g([1.0], np.array([0.0, 1e-6]))
    c0 = (bend[0] - bend[1]) / 1e-6 / np.pi
    ratio = density.gaussian(4.0) * np.exp(16) * 2 * np.pi**1.5 * 16
    assert [c0, ratio] == pytest.approx(printed("t8"), abs=1e-6)


def test_t9_the_assumption_fails_and_the_conclusion_stands():
    weight = IsotropicWeight(stats.norm(scale=20))
    sides = weight.g_tilde([1.0], np.array([-40.0, -20.0]))
    assert [*sides] == pytest.approx(printed("t9"), abs=5e-7)
    assert (np.diff(weight.g([1.0], np.linspace(0, 60, 50))) < 0).all()


def test_t10_a_line_that_does_not_separate_collects_nothing():
    weight, v = EmpiricalWeight([[1.0, 0.0], [-1.0, 0.0]]), [np.cos(0.7), np.sin(0.7)]
    assert weight.g(v, 0.9) == 0
    assert [float(weight.g(v, 0.2))] == pytest.approx(printed("t10"), abs=5e-7)
    line = two_point_line(np.array(v), 0.9), two_point_line(np.array(v), 0.2)
    assert line == pytest.approx([0, *printed("t10")], abs=1e-6)


def test_t11_the_peak_moves_away_from_the_origin():
    far = EmpiricalWeight([[0.0, 0.0], [10.0, 0.0]]).g([1.0, 0.0], [5.0, 9.09])
    near = EmpiricalWeight([[-5.0, 0.0], [5.0, 0.0]]).g([1.0, 0.0], 0.0)
    assert [*far, near] == pytest.approx(printed("t11"), abs=5e-7)


def test_t23_narrow_bumps_make_large_peaks():
    # -(1/pi) int g' / sqrt(b^2 - r^2) over one bump, r = 2^k: in closed form an inverse cosine.
    peaks = []
    for k in (10, 20):
        r, width = 2.0**k, k**-2.0
        value, _ = quad(lambda s, r=r: 2 / np.sqrt(2 * r + s * s), 0, np.sqrt(width))
        peaks.append(r * value / np.pi)
    assert peaks == pytest.approx(printed("t23"), abs=5e-7)


def test_t12_sgd_is_repelled_where_its_mean_converges():
    eta, curvatures, paths = 1.9, (0.0, 2.0), {0.1: 1.0}
    assert 2 / np.mean(curvatures) == 2 > eta
    for _ in range(15):
        drawn = [(theta * (1 - eta * h), p / 2) for theta, p in paths.items() for h in curvatures]
        paths = {theta: sum(p for t, p in drawn if t == theta) for theta, _ in drawn}
    theta, probability = np.array([*paths]), np.array([*paths.values()])
    mean, distance = theta @ probability, np.abs(theta) @ probability
    assert [-mean, distance] == pytest.approx(printed("t12"), abs=5e-7)


def test_t13_at_the_border_the_distance_tends_to_neither_zero_nor_infinity():
    theta, distances = np.array([0.3, 0.2, 0.5]), []
    for _ in range(200):
        distances.append(np.linalg.norm(theta))
        theta = theta - 0.5 * np.array([0.0, 1.0, 4.0]) * theta
    assert [distances[0], distances[-1]] == pytest.approx(printed("t13"), abs=5e-7)


def test_t15_equal_weights_are_no_bound_for_a_loss_of_varying_curvature():
    net, X, curvature = line((1, 0, 1)), [[-1.0], [1.0]], np.array([1.0, 0.25])
    value = sharpness(net, X, loss_curvature=curvature)
    bounds = [
        sharpness_lower_bound(net, X, curvature),
        curvature.mean() * sharpness_lower_bound(net, X),
    ]
    assert value == pytest.approx(0.75, abs=1e-12)
    assert bounds[0] < value < bounds[1]
    assert bounds == pytest.approx(printed("t15"), abs=5e-7)


def test_t16_a_turned_network_is_flatter_than_every_rescaling():
    X, grid = [[-1.0], [0.0], [1.0]], np.linspace(-5, 5, 101)[:, None]
    net = line((1, 2, 1), (1, 1.5, -1))
    turned = line((-1, -2, 1), (-1, -1.5, -1), bias=0.5)
    assert np.allclose(net(grid), turned(grid), atol=1e-12)
    assert [flattest_implementation(net, X).lower_bound] == pytest.approx(printed("t16"), abs=5e-7)
    assert sharpness(turned, X) == pytest.approx(1, abs=1e-12)


def test_t17_the_sharpness_of_a_least_squares_line_does_not_see_the_labels():
    net, X, y = line((0.5, 1, 1), bias=-2 / 3), [[-1.0], [0.0], [1.0]], [0.0, 0.0, 1.0]
    assert np.polynomial.polynomial.polyfit([-1, 0, 1], y, 1) == pytest.approx([1 / 3, 1 / 2])
    assert np.abs(net(X) - y).min() > 0.1
    assert sharpness(net, X, y) == pytest.approx(sharpness(net, X), rel=1e-12)
    assert [sharpness(net, X, y)] == pytest.approx(printed("t17"), abs=5e-7)


def test_t18_the_bound_on_the_neurons_own_side_is_sharper():
    net, X = line((1, 0.5, 1)), [[-1.0], [1.0]]
    values = [sharpness(net, X), 1 + 2 * one_sided_norm(net, X), 1 + 2 * stability_norm(net, X)]
    assert values == sorted(values, reverse=True)
    assert values == pytest.approx(printed("t18"), abs=5e-7)


def test_t22_steps_that_decay_to_zero_converge_to_a_minimum_of_any_sharpness():
    theta, seen = 1.0, []
    for t in range(1, 11):
        theta -= 1 / t * 2.5 * theta
        seen.append(theta)
    assert seen[0] == -1.5
    assert [abs(seen[-1])] == pytest.approx(printed("t22"), abs=5e-7)


def test_n1_the_sharpness_lies_between_a_squared_mean_and_a_mean_square():
    net, X = line((1, 0.5, 1)), [[-1.0], [1.0]]
    features = tangent_features(net, X)
    assert np.square(features.mean(axis=1)).sum() == 33 / 16
    assert np.square(features).sum(axis=0).mean() == 25 / 8
    assert [sharpness(net, X)] == pytest.approx(printed("n1"), abs=5e-7)


def test_n7_the_residuals_move_the_sharpness_by_less_than_their_norm():
    net, X, y = line((1, 0, 1)), [[-1.0], [1.0]], [0.0, 0.0]
    full, without = (
        np.linalg.eigvalsh(hessian_operator(net, X, y) @ np.eye(4))[-1],
        sharpness(net, X),
    )
    residual = hessian_operator(net, X, y) @ np.eye(4) - hessian_operator(net, X) @ np.eye(4)
    values = [full, without, without + np.linalg.norm(residual, ord=2)]
    assert values == pytest.approx(printed("n7"), abs=5e-7)
    low, high = sharpness_interval(net, X, y)
    assert low <= full * (1 + 1e-14) and full * (1 - 1e-14) <= high


def test_n9_a_point_on_a_knot_has_two_sharpnesses():
    X = [[0.0], [1.0]]
    values = [sharpness(line((1, offset, 1)), X) for offset in (0.0, 1e-12)]
    assert values == pytest.approx(printed("n9"), abs=5e-7)


def test_n10_three_averages_of_one_factor():
    eta, h = 1.2, np.array([1.0, 3.0])
    factor = np.abs(1 - eta * h)
    averages = [np.sqrt(np.mean(factor**2)), np.sqrt(factor.prod())]
    assert averages == pytest.approx(printed("n10"), abs=5e-7)
    assert factor.mean() == pytest.approx(1.4)
    for power, edge in ((2, 4 / 5), (1, 1)):
        assert np.mean(np.abs(1 - edge * h) ** power) == pytest.approx(1)
    assert np.prod(np.abs(1 - 4 / 3 * h)) == pytest.approx(1)


def test_n11_the_double_eigenvalue_has_its_closed_form():
    flat = flattest_implementation(
        ShallowReLU([[1.0, 0.0]], [0.0], [1.0]), [[1.0, 3.0], [1.0, -3.0]]
    )
    assert 9 * (2 + np.sqrt(116)) / 28 == pytest.approx(flat.lower_bound, rel=1e-7)
    assert [flat.sharpness] == pytest.approx(printed("n11"), abs=1e-6)


def test_every_entry_has_its_test():
    tested = {name.split("_")[1] for name in globals() if re.match(r"test_[tnpmqkl]\d+_", name)}
    assert set(ENTRIES) - {"n12"} == tested  # the experiments of N12 are checked in their chapters


def test_p1_hats_that_vanish_keep_their_norm():
    net = line((1, 0, 1), (1, -1e-7, -2), (1, -2e-7, 1))
    assert [stability_norm(net, [[-1.0], [1.0]])] == pytest.approx(printed("p1"), abs=1e-6)
    assert net([[-1.0], [1.0]]) == pytest.approx([0, 0], abs=1e-12)


def test_p2_the_limit_is_dearer_than_all_that_approach_it():
    X = [[-20.0], [-1.0], [5.0], [5.0]]
    norms = [stability_norm(line((1, 1 + h, 1)), X) for h in (1e-9, 0.0)]
    assert norms == pytest.approx(printed("p2"), abs=5e-7)


def test_p3_a_fourth_harmonic_adds_up_to_nothing_and_has_a_norm():
    turn = 2 * np.pi * (np.arange(64) + 0.25) / 64
    b = (np.arange(100) + 0.5) / 50 - 1
    v = np.repeat(np.column_stack([np.cos(turn), np.sin(turn)]), 100, axis=0)
    slope = np.repeat(np.cos(4 * turn), 100) * 2 * np.pi / 64 / 50
    net = ShallowReLU(v, -np.tile(b, 64), slope)
    x = np.random.default_rng(0).uniform(-0.7, 0.7, (200, 2))
    assert np.abs(net(x)).max() < 1e-4
    norm = stability_norm(net, IsotropicWeight(density.uniform_disc()))
    assert [norm] == pytest.approx(printed("p3"), rel=5e-3)


def test_m2_the_density_lacks_four_pi_squared():
    value = float(pyramid.density(0.0, 2.0))
    assert [-value, -4 * np.pi**2 * value] == pytest.approx(printed("m2"), abs=5e-7)


def test_m4_the_norm_grows_fourfold_while_the_logarithm_doubles():
    ratio = pyramid.truncated_norm(1e-8) / pyramid.truncated_norm(1e-4)
    assert [ratio] == pytest.approx(printed("m4"), abs=5e-7)


def test_m5_the_third_harmonic_pairs_with_the_corner():
    assert [corner_rate(diamond(), 0), local_rate(3)] == pytest.approx(printed("m5"), abs=2e-6)


def test_m6_a_segment_is_crossed_from_either_side():
    segment = diamond()
    lines = segment.radon_laplacian([np.pi / 2, -np.pi / 2], [0.3, -0.3])
    assert lines[0] == pytest.approx(lines[1]) and lines[0] != 0


def test_q1_a_wedge_beside_the_pyramid():
    e, t = 0.02, 1 / 1.02
    wedge = DeepNet(
        np.array([[1, e], [-1, e], [0, 1 - e], [0, -(1 + e)]]), np.zeros(4), np.ones(4), 1, 1, 0
    )
    difference = pyramid.pyramid([[0.0, t]]) - wedge([[0.0, t]])
    assert [float(difference[0])] == pytest.approx(printed("q1"), abs=5e-7)
    assert DeepNet.pyramid(2).rank(scattered()) == 10


PAIR = np.array([[-1.0], [1.0]])


def test_k1_two_neurons_have_no_room_for_a_slope():
    net = line((1, 10, 1), (-1, -10, -0.999))
    found = flattest_implementation(net, PAIR).lower_bound
    bound = _printed_upper_bound(net, PAIR, "larger")
    assert [found, bound, sharpness_upper_bound(net, PAIR)] == pytest.approx(
        printed("k1"), abs=1e-6
    )


def test_k2_a_frozen_eigenvector_bounds_nothing_from_above():
    net, X = line((1, -1.5, 1), (1, 3, 3)), np.array([[-2.0], [1.0]])
    form, flat = frozen(net, X), flattest_implementation(net, X).sharpness
    assert [form.least(form.n), flat] == pytest.approx(printed("k2"), abs=1e-6)
    assert form.least(form.total) <= flat


def test_k3_the_bound_is_the_least_trace():
    net = line((1, 0, 1))
    trace = sharpness_upper_bound(net, PAIR, own_side=True)
    found = [trace, flattest_implementation(net, PAIR).sharpness]
    assert found == pytest.approx(printed("k3"), abs=1e-6)


def test_k4_no_point_sees_both_neurons_of_the_pair():
    assert affine_pair(PAIR, np.array([1.0])) == pytest.approx(printed("k4"), abs=5e-7)


def test_k6_the_pair_stands_on_a_data_point():
    net, X = line((1, 0, 1), (-1, 0, -1)), [[-1.0], [0.0], [1.0]]
    assert net.knots_on_data(X) == 2
    assert sharpness_interval(net, X, sides=1e-9)[:2] == pytest.approx(printed("k6"), abs=1e-6)


def test_k7_the_sides_differ():
    net = line((1, 10, 1))
    sides = [_printed_upper_bound(net, PAIR, side) for side in ("larger", "mean", "smaller")]
    found = [flattest_implementation(net, PAIR).lower_bound, *sides]
    assert found == pytest.approx(printed("k7"), abs=1e-6)


def test_l3_the_correction_of_fixed_labels_vanishes():
    rows = corrected()
    assert rows[0].missed > 0.1
    assert rows[-1].added < rows[0].added / 4
    assert max(row.left for row in rows) < 1e-10


def test_l4_the_hill_is_not_zero_at_the_origin():
    assert SmoothTarget("gaussian", [[0.0]])([[0.0]])[0] == 1


def test_l5_the_mass_with_the_weight_is_larger():
    hill = SmoothTarget("gaussian", [[0.0]])
    both = hill.r_norm() + hill.g_hat_norm(PAIR)
    assert [hill.r_norm(), both] == pytest.approx(printed("l5"), abs=5e-7)


def test_l6_a_constant_has_no_weighted_norm():
    for R in (10.0, 1000.0):
        assert quad(lambda x: 2 + 2 * abs(x), -R, R)[0] == pytest.approx(4 * R + 2 * R**2)


def test_t20_the_mass_of_the_price_depends_on_the_direction():
    weight = EmpiricalWeight([[-1.0, 0.0], [1.0, 0.0]])
    masses = [
        quad(lambda b, v=v: float(weight.g(v, b)), -1, 1)[0] for v in ([1.0, 0.0], [0.0, 1.0])
    ]
    assert masses == pytest.approx([*printed("t20"), 0], abs=5e-7)


def test_t21_a_locally_integrable_function_that_is_no_tempered_distribution():
    values = [quad(lambda x: np.exp(x * x - x * x / 2), -R, R)[0] for R in (1, 4)]
    assert values == pytest.approx(printed("t21"), abs=5e-7)


def test_t24_the_best_vector_finds_the_flattest_rescaling():
    net, X = line((1, 0.5, 1)), np.array([[-1.0], [1.0]])
    z = np.maximum(net.preactivations(X)[:, 0], 0)
    seen = np.column_stack([X, [1.0, 1.0]]) * (z > 0)[:, None]
    bounds = [
        (u.sum() ** 2 + 2 * abs(u @ z) * np.linalg.norm(u @ seen)) / 2
        for t in np.linspace(0, np.pi, 20_001)
        for u in [np.array([np.cos(t), np.sin(t)])]
    ]
    assert [bounds[5_000], max(bounds)] == pytest.approx(printed("t24"), abs=5e-7)
    assert flattest_implementation(net, X).sharpness == pytest.approx(printed("t24")[1], abs=5e-7)


def test_p4_a_line_that_misses_the_square_has_a_density():
    assert [-float(pyramid.density(0.0, 2.0))] == pytest.approx(printed("p4"), abs=5e-7)


def test_m1_the_closed_form_is_the_sum_over_the_corners():
    theta, b = 0.3, 2.0
    c, s = np.cos(theta), np.sin(theta)
    masses = np.array([-2 / c, 2 / c, 2 / s, -2 / s]) / np.cos(2 * theta)
    corners = masses / (b - np.array([c, -c, s, -s]))
    both = [-float(pyramid.density(theta, b)), -corners.sum() / (4 * np.pi**2)]
    assert both == pytest.approx(2 * printed("m1"), abs=5e-7)


def test_m7_the_rate_of_normal_data():
    g = IsotropicWeight().g([1.0], np.array([1 / np.sqrt(2), 0.0]))
    rate = np.sqrt(2) / np.pi**2 * 8 * g[0] + 2 / np.pi**2 * 4 * g[1]
    assert [*g, rate] == pytest.approx(printed("m7"), abs=5e-7)


def test_q2_one_point_makes_a_hessian_of_rank_one():
    x = np.array([[0.25, 0.1]])
    value = DeepNet.pyramid(2).sharpness(x)
    trace = 1 + 1 + (1 - 0.35) ** 2 + np.sum(x**2) + 2 * (1 + np.sum(x**2))
    assert DeepNet.pyramid(2).rank(x) == 1
    assert [value, 2 / value] == pytest.approx(printed("q2"), abs=5e-7)
    assert value == pytest.approx(trace, rel=1e-12)


def test_q3_at_equality_descent_goes_to_and_fro():
    theta = [1.0]
    for _ in range(3):
        theta.append(theta[-1] - 2 * theta[-1])
    assert theta == [1, -1, 1, -1]


# The table

ROWS = re.findall(
    r"^\| ([^|]+) \| ([^|]+) \| (\w+) \| \{ref\}`(\w+) <erratum-(\w+)>` \|$", PAGE, re.M
)
KINDS = {"typo", "constant", "gap", "false", "unclear", "addition"}


def rank(place):
    """Where in the paper: the abstract, Sections 1 to 6, Appendices A to N."""
    if place.startswith("abstract"):
        return 0.0
    section, letter = re.match(r"(?:Section (\d(?:\.\d)?)|Append\w+ ([A-N]))", place).groups()
    return float(section) if section else 10.0 + ord(letter) - ord("A")


def test_the_table_has_a_row_for_every_entry_in_the_order_of_the_page():
    assert [row[4] for row in ROWS] == ENTRIES
    assert [row[3].lower() for row in ROWS] == ENTRIES
    assert {row[2] for row in ROWS} == KINDS


def test_the_page_follows_the_paper():
    places = [rank(row[0]) for row in ROWS]
    assert places == sorted(places)


def test_what_was_found_in_the_theory_is_all_there():
    # T25 is the least sharpness over all widths, chapter 9; M3 is the term too many of M2.
    theory = {f"t{i}" for i in range(1, 25)} | {f"p{i}" for i in range(1, 5)} | {"q1", "q2", "q3"}
    assert theory | {f"m{i}" for i in (1, 2, 4, 5, 6, 7)} <= set(ENTRIES)
