"""Radon transforms of images at equal resolution: errors and times of ours and of scikit-image's.

A smooth image, the sum of three Gaussian bumps, whose line integrals are known in closed form, and the
same with a disc. Errors are mean absolute ones over the largest value, inside the disc that all lines see.

    python benchmarks/radon.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from stablib.radon.exact import ball_radon, gaussian_radon
from stablib.radon.images import inverse_radon_image, radon_image

try:
    from skimage.transform import iradon
    from skimage.transform import radon as skimage_radon
except ImportError:  # not everywhere to be had
    skimage_radon = None

BUMPS = ((1.0, (0.2, -0.1), 0.15), (0.6, (-0.3, 0.3), 0.1), (0.8, (0.0, 0.4), 0.08))
DISC = (-0.25, -0.25), 0.25
ANGLES = np.pi * np.arange(180) / 180


def centres(n: int) -> np.ndarray:
    """Centres of n equal parts of [-1, 1]."""
    return (np.arange(n) + 0.5) * 2 / n - 1


def image(n: int, disc: bool) -> np.ndarray:
    """The test image at pixel centres, (n, n)."""
    x = np.stack(np.meshgrid(centres(n), centres(n)), axis=-1)
    out = sum(h * np.exp(-((x - m) ** 2).sum(axis=-1) / (2 * w**2)) for h, m, w in BUMPS)
    return out + (((x - DISC[0]) ** 2).sum(axis=-1) < DISC[1] ** 2) * float(disc)


def known(n: int, disc: bool) -> np.ndarray:
    """Its line integrals, (angles, n)."""
    b = centres(n)
    v = np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])
    out = sum(h * np.stack([gaussian_radon(u, b, m, w) for u in v]) for h, m, w in BUMPS)
    return out + np.stack([ball_radon(b - u @ DISC[0], DISC[1]) for u in v]) * float(disc)


def by_skimage(f: np.ndarray) -> np.ndarray:
    """scikit-image's transform; its rows run downwards, so that the angle turns the other way."""
    return skimage_radon(f[::-1], np.degrees(ANGLES), circle=True).T * 2 / len(f)


def back_by_skimage(sinogram: np.ndarray) -> np.ndarray:
    """scikit-image's filtered back-projection with the plain ramp."""
    n = sinogram.shape[1]
    found = iradon(sinogram.T, np.degrees(ANGLES), filter_name="ramp", circle=True, output_size=n)
    return found[::-1] * n / 2


def timed(f: Callable[..., np.ndarray], *args: np.ndarray) -> tuple[np.ndarray, float]:
    """The result and the least of three times, in milliseconds."""
    spent = []
    for _ in range(3):
        start = time.perf_counter()
        out = f(*args)
        spent.append(time.perf_counter() - start)
    return out, 1e3 * min(spent)


def main() -> None:
    forward = {"ours": lambda f: radon_image(f, ANGLES)}
    backward = {"ours": lambda s: inverse_radon_image(s, ANGLES)}
    if skimage_radon is None:
        print("scikit-image is not installed: its rows are left out")
    else:
        forward["scikit-image"] = by_skimage
        backward["scikit-image"] = back_by_skimage
    print("what      image   n    by             mean error      ms")
    for disc in (False, True):
        for n in (64, 128, 256):
            f, s, name = image(n, disc), known(n, disc), "disc" if disc else "smooth"
            for label, transform in forward.items():
                found, ms = timed(transform, f)
                error = np.abs(found - s).mean() / s.max()
                print(f"transform {name:6} {n:4} {label:14} {error:10.2e} {ms:9.1f}")
            inside = centres(n) ** 2 + centres(n)[:, None] ** 2 < 0.9
            for label, transform in backward.items():
                found, ms = timed(transform, s)
                error = np.abs(found - f)[inside].mean() / f.max()
                print(f"inverse   {name:6} {n:4} {label:14} {error:10.2e} {ms:9.1f}")


if __name__ == "__main__":
    main()
