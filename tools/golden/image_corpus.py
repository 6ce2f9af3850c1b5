#!/usr/bin/env python3
"""Write the seed inputs of fuzz_nrrd and fuzz_meta: a few small files, sound and damaged.

Usage: image_corpus.py fuzz/corpus     (Python 3, no packages)
"""
import gzip
import os
import struct
import sys
import zlib

SHORTS = struct.pack("<24h", *range(24))
PART = b"\n=PART=\n"  # what follows is the other file


def nrrd(lines, voxels=b"", end="\n\n"):
    return "\n".join(["NRRD0005"] + lines).encode() + end.encode() + voxels


def nrrd_files():
    base = ["type: short", "dimension: 3", "sizes: 4 3 2", "endian: little"]
    raw = base + ["encoding: raw"]
    four = ["type: short", "dimension: 4", "endian: little", "encoding: raw"]
    floats = struct.pack(">24f", *range(22), float("nan"), float("inf"))
    world = ["space: right-anterior-superior", "space directions: (0,1,0) (-2,0,0) (0,0,3)",
             "space origin: (10,20,30)"]
    return {
        "raw": nrrd(raw + ["spacings: 1 2 3"], SHORTS),
        "gzip": nrrd(base + ["encoding: gzip"] + world, gzip.compress(SHORTS, mtime=0)),
        "gzip_skip": nrrd(base + ["encoding: gz", "line skip: 1", "byte skip: 4"],
                          b"abc\n" + gzip.compress(b"wxyz" + SHORTS, mtime=0)),
        "gzip_cut": nrrd(base + ["encoding: gzip"], gzip.compress(SHORTS, mtime=0)[:-9]),
        "ascii": nrrd(base + ["encoding: ascii"], " ".join(map(str, range(24))).encode()),
        "ascii_bad": nrrd(base + ["encoding: ascii"], b"1 2 3 x " + b"0 " * 30),
        "float_big": nrrd(["type: float", "dimension: 3", "sizes: 4 3 2", "endian: big", "encoding: raw"], floats),
        "vector": nrrd(four + ["sizes: 2 4 3 1", "kinds: vector domain domain domain", "space: LPS",
                               "space directions: none (1,0,0) (0.5,2,0) (0,0,3)", "space origin: (1,2,3)"], SHORTS),
        "vector_last": nrrd(four + ["sizes: 4 3 1 2", "kinds: domain domain domain list"], SHORTS),
        "time": nrrd(four + ["sizes: 4 3 1 2", "kinds: domain domain domain time", "spacings: 1 2 3 nan"], SHORTS),
        "colour": nrrd(four + ["sizes: 3 4 2 1", "kinds: RGB-color domain domain domain"], SHORTS),
        "skips": nrrd(raw + ["line skip: 2", "byte skip: 2", "# a comment", "key:=value: x"], b"a\nb\n--" + SHORTS),
        "from_end": nrrd(raw + ["byte skip: -1"], b"whatever" + SHORTS),
        "detached": nrrd(raw + ["data file: voxels.raw"], PART + SHORTS),
        "pattern": nrrd(raw + ["data file: z%03d.raw 1 2 1"], PART + SHORTS[:24]),
        "list": nrrd(raw + ["data file: LIST", "a.raw", "b.raw"], PART + SHORTS[:24], end=""),
        "crlf": nrrd(raw, SHORTS, end="\r\n\r\n").replace(b"\n", b"\r\n", 6),
        "spacing_0": nrrd(raw + ["spacings: 1 0 3"], SHORTS),
        "spacing_minus": nrrd(raw + ["spacings: 1 -2 nan"], SHORTS),
        "huge": nrrd(["type: uchar", "dimension: 3", "sizes: 4000000000 4000000000 4000000000", "encoding: raw"]),
        "flat": nrrd(["type: uchar", "dimension: 2", "sizes: 4 3", "encoding: raw"], bytes(12)),
        "no_end": b"NRRD0004\ntype: short\n",
        "text": b"not an image at all",
    }


def meta(lines, voxels=b"", where="LOCAL"):
    return "\n".join(["ObjectType = Image"] + lines + [f"ElementDataFile = {where}\n"]).encode() + voxels


def meta_files():
    base = ["NDims = 3", "DimSize = 4 3 2", "ElementType = MET_SHORT"]
    spaced = base + ["ElementSpacing = 1 2 3"]
    packed = zlib.compress(SHORTS)
    floats = struct.pack(">24f", *range(22), float("nan"), float("inf"))
    return {
        "raw": meta(spaced + ["Offset = 10 20 30", "TransformMatrix = 0 1 0 -1 0 0 0 0 1"], SHORTS),
        "packed": meta(spaced + ["CompressedData = True", f"CompressedDataSize = {len(packed)}"], packed),
        "packed_gzip": meta(spaced + ["CompressedData = True"], gzip.compress(SHORTS, mtime=0)),
        "packed_cut": meta(spaced + ["CompressedData = True"], packed[:-5]),
        "text": meta(spaced + ["BinaryData = False"], " ".join(map(str, range(24))).encode()),
        "float_big": meta(["NDims = 3", "DimSize = 4 3 2", "ElementSize = 1 2 3", "BinaryDataByteOrderMSB = True",
                           "ElementType = MET_FLOAT"], floats),
        "channels": meta(["NDims = 3", "DimSize = 2 3 2", "ElementNumberOfChannels = 2",
                          "ElementType = MET_SHORT_ARRAY"], SHORTS),
        "time": meta(["NDims = 4", "DimSize = 2 3 2 2", "ElementSpacing = 1 2 3 4",
                      "TransformMatrix = 1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1", "ElementType = MET_SHORT"], SHORTS),
        "sheared": meta(spaced + ["TransformMatrix = 1 0.5 0 0 1 0 0 0 0"], SHORTS),
        "detached": meta(spaced, PART + SHORTS, "voxels.raw"),
        "from_end": meta(spaced + ["HeaderSize = -1"], PART + b"head" + SHORTS, "voxels.raw"),
        "header_size": meta(spaced + ["HeaderSize = 4"], PART + b"head" + SHORTS, "voxels.raw"),
        "pattern": meta(spaced, PART + SHORTS[:24], "z%02d.raw 1 2 1"),
        "list": meta(spaced, b"a.raw\nb.raw" + PART + SHORTS[:24], "LIST 2"),
        "spacing_0": meta(base + ["ElementSpacing = 1 0 3"], SHORTS),
        "spacing_minus": meta(base + ["ElementSpacing = 1 -2 3"], SHORTS),
        "spacing_nan": meta(base + ["ElementSpacing = 1 nan 3"], SHORTS),
        "huge": meta(["NDims = 3", "DimSize = 4000000000 4000000000 4000000000", "ElementType = MET_UCHAR"]),
        "flat": meta(["NDims = 2", "DimSize = 4 3", "ElementType = MET_UCHAR"], bytes(12)),
        "cut": meta(spaced, SHORTS[:-1]),
        "no_end": b"ObjectType = Image\nNDims = 3\n",
        "no_meta": b"not an image at all",
    }


def main(folder):
    for kind, files in ("nrrd", nrrd_files()), ("meta", meta_files()):
        os.makedirs(f"{folder}/{kind}", exist_ok=True)
        for name, content in files.items():
            with open(f"{folder}/{kind}/{name}", "wb") as f:
                f.write(content)


if __name__ == "__main__":
    main(sys.argv[1])
