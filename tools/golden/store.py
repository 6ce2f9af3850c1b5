"""Write tests/golden/store: .b2nd files made by python-blosc2 with the peer's parameters, and properties
pickled as the peer's reader gives them.

Usage: python tools/golden/store.py tests/golden/store
"""
import json
import pickle
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


def properties():
    return {
        "sitk_stuff": {"spacing": (0.5, 0.75, 3.0), "origin": (10.5, -20.25, 30.0),
                       "direction": (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)},
        "spacing": list(np.abs([3.0, 0.75, 0.5])),
        "shape_before_cropping": (20, 33, 40),
        "bbox_used_for_cropping": [[0, 20], [2, 31], [4, 37]],
        "shape_after_cropping_and_before_resampling": (20, 29, 33),
    }


def main(folder):
    with open(f"{folder}/peer.pkl", "wb") as f:
        pickle.dump(properties(), f, protocol=4)
    v = volume()
    write(f"{folder}/image.b2nd", v)
    write(f"{folder}/mask.b2nd", ((v > 5).astype(np.int8) - (v > 10).astype(np.int8) * 2))
    meta = {"script": "tools/golden/store.py", "blosc2": blosc2.__version__, "atol": 0, "rtol": 0,
            "numpy": np.__version__, "why": "lossless: every voxel is ((7z + 3y + 5x) mod 11) + 0.5; mask is 1 above 5, "
                   "-1 above 10"}
    with open(f"{folder}/meta.json", "w") as f:
        json.dump(meta, f, indent=4)


main(sys.argv[1])
