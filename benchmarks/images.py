"""Radon transforms of an image at equal resolution: errors and times of ours and of scikit-image's.

The image is a sum of three Gaussian bumps and a disc, whose line integrals are known in closed form. Errors
are mean absolute ones over the largest value, inside the disc that all lines see.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from skimage.transform import iradon, radon
from turns import in_turns, row

from stablib.radon.exact import ball_radon, gaussian_radon
from stablib.radon.images import inverse_radon_image, radon_image

BUMPS = ((1.0, (0.2, -0.1), 0.15), (0.6, (-0.3, 0.3), 0.1), (0.8, (0.0, 0.4), 0.08))
DISC = (-0.25, -0.25), 0.25
ANGLES = np.pi * np.arange(180) / 180


def centres(n: int) -> np.ndarray:
    """Centres of n equal parts of [-1, 1]."""
    return (np.arange(n) + 0.5) * 2 / n - 1


def image(n: int) -> np.ndarray:
    """The test image at pixel centres, (n, n)."""
    x = np.stack(np.meshgrid(centres(n), centres(n)), axis=-1)
    out = sum(h * np.exp(-((x - m) ** 2).sum(axis=-1) / (2 * w**2)) for h, m, w in BUMPS)
    return out + (((x - DISC[0]) ** 2).sum(axis=-1) < DISC[1] ** 2)


def known(n: int) -> np.ndarray:
    """Its line integrals, (angles, n)."""
    b = centres(n)
    v = np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])
    out = sum(h * np.stack([gaussian_radon(u, b, m, w) for u in v]) for h, m, w in BUMPS)
    return out + np.stack([ball_radon(b - u @ DISC[0], DISC[1]) for u in v])


def by_skimage(f: np.ndarray) -> np.ndarray:
    """scikit-image's transform; its rows run downwards, so that the angle turns the other way."""
    with (
        warnings.catch_warnings()
    ):  # the bumps' tails reach beyond the circle, at 1e-4 of their height
        warnings.simplefilter("ignore")
        return radon(f[::-1], np.degrees(ANGLES), circle=True).T * 2 / len(f)


def back_by_skimage(sinogram: np.ndarray) -> np.ndarray:
    """scikit-image's filtered back-projection with the plain ramp."""
    n = sinogram.shape[1]
    found = iradon(sinogram.T, np.degrees(ANGLES), filter_name="ramp", circle=True, output_size=n)
    return found[::-1] * n / 2


def transforms(n: int = 128) -> list[dict[str, Any]]:
    """Two rows, there and back, with the errors of both sides."""
    f, s = image(n), known(n)
    inside = centres(n) ** 2 + centres(n)[:, None] ** 2 < 0.9
    rows = []
    for name, what, contestants, error in (
        (
            "radon",
            "`radon_image`",
            {"ours": lambda: radon_image(f, ANGLES), "theirs": lambda: by_skimage(f)},
            lambda found: np.abs(found - s).mean() / s.max(),
        ),
        (
            "radon-inverse",
            "`inverse_radon_image`",
            {"ours": lambda: inverse_radon_image(s, ANGLES), "theirs": lambda: back_by_skimage(s)},
            lambda found: np.abs(found - f)[inside].mean() / f.max(),
        ),
    ):
        times, values = in_turns(contestants, turns=5)
        note = f"mean error {error(values['ours']):.1e}, theirs {error(values['theirs']):.1e}"
        size = f"{n} x {n} pixels, {len(ANGLES)} angles"
        rows.append(
            row(name, what, size, "scikit-image", times["ours"], times["theirs"], note=note)
        )
    return rows
