"""Transforms of images against closed forms, and their order in the size of a pixel."""

import numpy as np
import pytest

from stablib.radon import exact, images

ANGLES = np.pi * np.arange(180) / 180


def centres(n):
    x = (np.arange(n) + 0.5) * 2 / n - 1
    return x, np.stack(np.meshgrid(x, x), axis=-1)


def bump(x, mean=(0.2, -0.1), width=0.15):
    return np.exp(-((x - mean) ** 2).sum(axis=-1) / (2 * width**2))


def known(n):
    b = centres(n)[0]
    v = np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])
    return np.stack([exact.gaussian_radon(u, b, (0.2, -0.1), 0.15) for u in v])


def test_the_transform_of_a_smooth_image_is_of_second_order():
    errors = [
        np.abs(images.radon_image(bump(centres(n)[1]), ANGLES) - known(n)).max()
        for n in (32, 64, 128)
    ]
    assert (np.abs(np.log2(np.divide(errors[:-1], errors[1:])) - 2) < 0.2).all()


def test_the_inverse_of_a_smooth_sinogram_is_of_second_order():
    errors = []
    for n in (32, 64, 128):
        x = centres(n)[1]
        inside = (x**2).sum(axis=-1) < 0.8
        found = images.inverse_radon_image(known(n), ANGLES)
        errors.append(np.abs(found - bump(x))[inside].max())
    assert (np.log2(np.divide(errors[:-1], errors[1:])) > 1.5).all()


def test_a_disc_keeps_its_chords():
    n = 200
    x = centres(n)[1]
    found = images.radon_image(((x**2).sum(axis=-1) < 0.25).astype(float), [0.0, 0.4, 2.0])
    chords = exact.ball_radon(centres(n)[0], 0.5)
    assert np.abs(found - chords).mean() < 0.005


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: images.radon_image(np.ones((3, 4)), ANGLES), r"image has shape \(3, 4\)"),
        (lambda: images.radon_image([[1.0, np.nan], [0.0, 1.0]], ANGLES), "image has NaN"),
        (lambda: images.radon_image(np.ones((3, 3)), 1.0), "angles has shape"),
        (lambda: images.inverse_radon_image(np.ones((3, 8)), ANGLES), "there are 180 angles"),
        (lambda: images.inverse_radon_image(np.ones(8), ANGLES[:1]), "sinogram has shape"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
