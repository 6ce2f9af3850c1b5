#!/usr/bin/env python3
"""Write the seed inputs of fuzz_b2nd: small .b2nd files of every kind that there is, and damaged ones.

Usage: store_corpus.py fuzz/corpus/b2nd     (Python 3; blosc2, numpy)
"""
import sys

import blosc2
import numpy as np


def frame(array, chunks, blocks, codec=blosc2.Codec.ZSTD, level=1, **more):
    cparams = {"codec": codec, "clevel": level, "nthreads": 1, **more}
    return blosc2.asarray(array, chunks=chunks, blocks=blocks, cparams=cparams).to_cframe()


def main(folder):
    z, y, x = np.indices((9, 10, 11))
    ramp = ((7 * z + 3 * y + 5 * x) % 11 + 0.5).astype("<f4")[None]
    noise = np.random.default_rng(1).normal(size=(1, 6, 6, 6)).astype("<f4")
    chunks, blocks = (1, 5, 10, 8), (1, 4, 4, 4)
    whole = frame(ramp, chunks, blocks)
    zeros = frame(np.zeros_like(ramp), chunks, blocks)
    files = {
        "zstd": whole,
        "lz4": frame(ramp, chunks, blocks, blosc2.Codec.LZ4, 5),
        "blosclz": frame(ramp, chunks, blocks, blosc2.Codec.BLOSCLZ, 5),
        "zlib": frame(ramp, chunks, blocks, blosc2.Codec.ZLIB, 5),
        "stored": frame(noise, (1, 6, 6, 6), (1, 6, 6, 6), level=0),
        "noise": frame(noise, (1, 4, 6, 6), (1, 4, 3, 6)),
        "mask": frame((ramp > 5).astype("i1"), chunks, blocks),
        "bytes": frame((ramp > 5).astype("u1"), (1, 9, 10, 11), (1, 9, 10, 11)),
        "zeros": zeros,
        "nans": frame(np.full_like(ramp, np.nan), chunks, blocks),
        "constant": frame(np.full_like(ramp, 3), chunks, blocks),
        "channels": frame(np.concatenate([ramp, ramp]), (2, 5, 10, 8), (2, 4, 4, 4)),
        "bitshuffle": frame(ramp, chunks, blocks, filters=[blosc2.Filter.BITSHUFFLE]),
        "delta": frame(ramp, chunks, blocks, filters=[blosc2.Filter.DELTA, blosc2.Filter.SHUFFLE]),
        "dictionary": frame(ramp, (1, 9, 10, 11), (1, 1, 4, 4), use_dict=True),
        "doubles": frame(ramp.astype("<f8"), chunks, blocks),
        "flat": frame(ramp[0], chunks[1:], blocks[1:]),
        "cut": whole[:-20],
        "hit": whole[:200] + bytes(20) + whole[220:],
        "type_mark": whole.replace(b"\xdb\0\0\0\3<f4", b"\xdc\0\0\0\3<f4"),
        "type_long": whole.replace(b"\xdb\0\0\0\3<f4", b"\xdb\x7f\xff\xff\xff<f4"),
        "block_0": whole.replace(b"\xd2\0\0\0\4", b"\xd2\0\0\0\0"),
        "shape_huge": whole.replace(b"\xd3\0\0\0\0\0\0\0\x09", b"\xd3\x7f\xff\xff\xff\xff\xff\xff\xff"),
        "chunk_0": zeros[:0x3a] + bytes(4) + zeros[0x3e:],  # C-Blosc2 3.3 divides by it
        "text": b"not a frame at all, but longer than the hundred bytes that a frame has to have at the very least. " * 2,
    }
    meta = blosc2.asarray(ramp, chunks=chunks, blocks=blocks)
    meta.schunk.vlmeta["note"] = {"a": [1, 2, 3]}
    files["vlmeta"] = meta.to_cframe()
    for name, content in files.items():
        with open(f"{folder}/{name}", "wb") as f:
            f.write(content)


main(sys.argv[1])
