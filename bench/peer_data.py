"""The other side of bench/data: preprocessing put together from packages of PyPI.

    pip install scikit-image nibabel blosc2

Run as a program it takes scans through the steps nnssl takes them through, with the packages it
takes, on one thread: read, crop to what is not zero, z-score, cubic resampling to 1 mm, .b2nd of
zstd at level 8. One JSON line per step, in CPU seconds, then one for the whole process, which
begins with Python's own start. With --store FILE it reads a crop of a .b2nd instead.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import resource
import sys
import tempfile
import time

NEEDED = "pip install scikit-image nibabel blosc2"
MODULES = ("skimage", "nibabel", "blosc2")
CROP = 160


def want():
    """End the program with advice when a package is not to be had."""
    for module in MODULES:
        if importlib.util.find_spec(module) is None:
            name = os.path.basename(sys.argv[0])
            sys.exit(f"{name}: {module} is not there; {NEEDED}")


def versions():
    import importlib.metadata

    names = {"skimage": "scikit-image"}
    return {m: importlib.metadata.version(names.get(m, m)) for m in MODULES}


def say(**fields):
    print(json.dumps(fields), flush=True)


class Steps:
    """Times what is done between the marks."""

    def __init__(self, file):
        self.file, self.last = file, time.process_time()

    def mark(self, step):
        now = time.process_time()
        say(file=self.file, step=step, seconds=round(now - self.last, 6))
        self.last = time.process_time()


def read(path):
    """Voxels [z, y, x] as f32, and their spacing."""
    import nibabel
    import numpy

    image = nibabel.load(path)
    voxels = numpy.asarray(image.dataobj, dtype=numpy.float32)
    spacing = [float(v) for v in image.header.get_zooms()[:3]]
    return numpy.ascontiguousarray(voxels.T), spacing[::-1]


def crop(voxels):
    import numpy

    box = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        where = numpy.flatnonzero((voxels != 0).any(axis=others))
        box.append(slice(where[0], where[-1] + 1))
    return voxels[tuple(box)]


def normalise(voxels):
    voxels = voxels - voxels.mean()
    return voxels / max(voxels.std(), 1e-8)


def resample(voxels, spacing):
    import numpy
    from skimage.transform import resize

    shape = [max(1, round(s * n)) for s, n in zip(spacing, voxels.shape)]
    if shape == list(voxels.shape):
        return voxels
    made = resize(voxels.astype(float), shape, 3, mode="edge", anti_aliasing=False, clip=True)
    return made.astype(numpy.float32)


def write(voxels, path, like):
    """With the chunks and blocks of the file `like`, which are those nnssl would choose."""
    import blosc2
    import numpy

    cut = {}
    if like:
        same = blosc2.open(like, mode="r")
        cut = {"chunks": same.chunks, "blocks": same.blocks}
    blosc2.asarray(
        numpy.ascontiguousarray(voxels[None]),
        urlpath=path,
        cparams={"codec": blosc2.Codec.ZSTD, "clevel": 8, "nthreads": 1},
        **cut,
    )


def preprocess(paths, likes):
    import blosc2

    blosc2.set_nthreads(1)
    with tempfile.TemporaryDirectory() as folder:
        for number, path in enumerate(paths):
            steps = Steps(pathlib.Path(path).name)
            voxels, spacing = read(path)
            steps.mark("read")
            voxels = crop(voxels)
            steps.mark("crop")
            voxels = normalise(voxels)
            steps.mark("normalise")
            voxels = resample(voxels, spacing)
            steps.mark("resample")
            write(voxels, f"{folder}/{number}.b2nd", likes.get(steps.file))
            steps.mark("write")
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = usage.ru_utime + usage.ru_stime
    say(step="whole", seconds=round(seconds, 3), rss_mib=round(usage.ru_maxrss / 1024, 1))


def read_crop(path, repeat):
    import blosc2

    blosc2.set_nthreads(1)
    seconds = []
    for _ in range(repeat + 1):
        start = time.process_time()
        array = blosc2.open(path, mode="r", mmap_mode="r", dparams={"nthreads": 1})
        box = []
        for n in array.shape[1:]:
            lo = max(0, n - CROP) // 2
            box.append(slice(lo, lo + min(n, CROP)))
        array[(slice(0, 1), *box)]
        seconds.append(time.process_time() - start)
    seconds = sorted(seconds[1:])
    say(step="read crop zstd", seconds=round(seconds[len(seconds) // 2], 6))


def main():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("scans", nargs="*", metavar="SCAN")
    p.add_argument("--like", nargs=2, action="append", default=[], metavar=("SCAN", "B2ND"))
    p.add_argument("--store", metavar="FILE")
    p.add_argument("--repeat", type=int, default=5)
    args = p.parse_args()
    want()
    if args.store:
        read_crop(args.store, args.repeat)
    else:
        preprocess(args.scans, dict(args.like))


if __name__ == "__main__":
    main()
