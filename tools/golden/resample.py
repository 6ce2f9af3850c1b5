"""Resampled volumes by scikit-image, as the peer calls it: tests/golden/resample.

Run by hand with numpy, scipy and scikit-image installed:  python tools/golden/resample.py
"""
import json
import pathlib

import numpy as np
import scipy
import skimage
from scipy.ndimage import map_coordinates
from skimage.transform import resize

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/resample"
SEED = 20240607


def cubic(x, shape):
    if x.shape == tuple(shape):
        return x
    return resize(x, shape, order=3, mode="edge", anti_aliasing=False, clip=True)


def votes(x, shape):
    """Linear interpolation of one indicator per label; ascending, half is enough."""
    if x.shape == tuple(shape):
        return x
    out = np.zeros(shape)
    for label in np.unique(x):
        share = resize((x == label).astype(float), shape, order=1, mode="edge",
                       anti_aliasing=False, clip=True)
        out[share >= 0.5] = label
    return out


def nearest(x, axis, m):
    n = x.shape[axis]
    at = np.arange(m, dtype=float)
    coords = np.meshgrid(*[n / m * (at + 0.5) - 0.5 if a == axis else np.arange(float(k))
                           for a, k in enumerate(x.shape)], indexing="ij")
    return map_coordinates(x, coords, order=0, mode="nearest")


def thick(x, shape, axis, one):
    flat = tuple(np.delete(shape, axis))
    out = np.stack([one(s, flat) for s in np.moveaxis(x, axis, 0)], axis)
    return out if out.shape[axis] == shape[axis] else nearest(out, axis, shape[axis])


def image(rng, n):
    return (rng.normal(300, 90, n) + 400 * (rng.random(n) < 0.1)).astype(np.float32)


def labels(rng, n):
    """Blobs of four labels with an irregular edge."""
    coarse = rng.integers(-1, 3, [max(1, k // 3) for k in n])
    big = coarse[np.ix_(*[np.arange(k) * c // k for k, c in zip(n, coarse.shape)])]
    return np.where(rng.random(n) < 0.1, rng.integers(-1, 3, n), big).astype(np.float32)


# name, kind, shape before, shape after, axis of thick slices or -1
CASES = [
    ("up", image, (5, 6, 7), (8, 9, 12), -1),
    ("down", image, (11, 9, 13), (6, 5, 4), -1),
    ("mixed", image, (8, 5, 13), (5, 9, 12), -1),
    ("one_axis", image, (4, 7, 6), (4, 11, 6), -1),
    ("depth_only", image, (9, 5, 7), (13, 5, 7), -1),
    ("tiny", image, (1, 2, 3), (3, 5, 2), -1),
    ("wide", image, (2, 17, 41), (3, 9, 77), -1),
    ("thick0", image, (4, 7, 8), (9, 9, 6), 0),
    ("thick2", image, (7, 6, 5), (9, 6, 3), 2),
    ("thick1_in_plane_same", image, (5, 4, 6), (5, 9, 6), 1),
    ("labels_up", labels, (7, 8, 6), (11, 13, 9), -1),
    ("labels_down", labels, (12, 11, 10), (6, 5, 7), -1),
    ("labels_thick", labels, (4, 9, 10), (9, 7, 13), 0),
]


def main():
    rng = np.random.default_rng(SEED)
    for name, kind, n, m, axis in CASES:
        x = kind(rng, n)
        one = cubic if kind is image else votes
        wide = x.astype(float)
        y = one(wide, m) if axis < 0 else thick(wide, m, axis, one)
        folder = OUT / name
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "in.npy", x)
        np.save(folder / "out.npy", y.astype(np.float32))
    meta = dict(
        script="tools/golden/resample.py", seed=SEED, numpy=np.__version__,
        scipy=scipy.__version__, skimage=skimage.__version__,
        atol_of_range=2e-6, atol_of_range_reference=2e-7,
        why="images: float recursions against double, 3e-7 of the range measured on whole scans; "
            "reference: two roundings to float; labels: equal")
    (OUT / "meta.json").write_text(json.dumps(meta, indent=2) + "\n")


if __name__ == "__main__":
    main()
