"""Write tests/golden/store: .b2nd files made by python-blosc2 with the peer's parameters.

Usage: python tools/golden/store.py tests/golden/store
"""
import json
import sys

import blosc2
import numpy as np

SHAPE = (1, 40, 37, 50)


def volume():
    c, z, y, x = np.indices(SHAPE)
    return ((7 * z + 3 * y + 5 * x) % 11 + 0.5).astype(np.float32)


def write(path, array):
    cparams = {"codec": blosc2.Codec.ZSTD, "clevel": 8, "nthreads": 1}
    blosc2.asarray(array, urlpath=path, mode="w", chunks=(1, 20, 37, 32), blocks=(1, 16, 16, 16),
                   cparams=cparams)


def main(folder):
    v = volume()
    write(f"{folder}/image.b2nd", v)
    write(f"{folder}/mask.b2nd", ((v > 5).astype(np.int8) - (v > 10).astype(np.int8) * 2))
    meta = {"script": "tools/golden/store.py", "blosc2": blosc2.__version__, "atol": 0, "rtol": 0,
            "why": "lossless: every voxel is ((7z + 3y + 5x) mod 11) + 0.5; mask is 1 above 5, "
                   "-1 above 10"}
    with open(f"{folder}/meta.json", "w") as f:
        json.dump(meta, f, indent=4)


main(sys.argv[1])
