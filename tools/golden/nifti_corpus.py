#!/usr/bin/env python3
"""Write the seed inputs of fuzz_nifti: a few small files, sound and damaged.

Usage: nifti_corpus.py fuzz/corpus/nifti     (Python 3, no packages)
"""
import gzip
import struct
import sys


def nifti1(order, datatype, size, dim, voxels, slope=1.0, pixdim=(1, 1, 1)):
    head = bytearray(352)
    struct.pack_into(order + "i", head, 0, 348)
    struct.pack_into(order + "8h", head, 40, *dim)
    struct.pack_into(order + "hh", head, 70, datatype, 8 * size)
    struct.pack_into(order + "8f", head, 76, 1, *pixdim, 1, 1, 1, 1)
    struct.pack_into(order + "fff", head, 108, 352, slope, 0)
    struct.pack_into(order + "hh", head, 252, 1, 2)
    struct.pack_into(order + "12f", head, 280, 1, 0, 0, 5, 0, 1, 0, 6, 0, 0, 1, 7)
    head[344:347] = b"n+1"
    return bytes(head) + voxels


def nifti2(order, datatype, size, dim, voxels):
    head = bytearray(544)
    struct.pack_into(order + "i", head, 0, 540)
    head[4:12] = b"n+2\0\r\n\x1a\n"
    struct.pack_into(order + "hh", head, 12, datatype, 8 * size)
    struct.pack_into(order + "8q", head, 16, *dim)
    struct.pack_into(order + "8d", head, 104, *[1] * 8)
    struct.pack_into(order + "q", head, 168, 544)
    struct.pack_into(order + "dd", head, 176, 1, 0)
    return bytes(head) + voxels


def main(folder):
    dim = (3, 2, 2, 2, 1, 1, 1, 1)
    shorts = struct.pack("<8h", *range(8))
    floats = struct.pack(">8f", 0, 1, float("nan"), float("inf"), -1, 2, 3, 4)
    plain = nifti1("<", 4, 2, dim, shorts)
    packed = gzip.compress(plain, mtime=0)
    files = {
        "i16_le": plain,
        "f32_be_nan": nifti1(">", 16, 4, dim, floats, slope=2.0),
        "f64_le": nifti2("<", 64, 8, dim, struct.pack("<8d", *range(8))),
        "u8_be": nifti2(">", 2, 1, dim, bytes(8)),
        "channels": nifti1("<", 2, 1, (4, 2, 2, 1, 2, 1, 1, 1), bytes(8)),
        "gz": packed,
        "gz_members": gzip.compress(plain[:200], mtime=0) + gzip.compress(plain[200:], mtime=0),
        "gz_surplus": gzip.compress(plain + bytes(4096), mtime=0),
        "gz_cut": packed[:-9],
        "gz_crc": packed[:-7] + bytes([packed[-7] ^ 255]) + packed[-6:],
        "cut": plain[:-1],
        "rgb": nifti1("<", 128, 3, dim, bytes(24)),
        "complex": nifti1("<", 32, 8, dim, bytes(64)),
        "flat": nifti1("<", 2, 1, (2, 4, 2, 1, 1, 1, 1, 1), bytes(8)),
        "five_axes": nifti1("<", 2, 1, (5, 2, 1, 1, 1, 4, 1, 1), bytes(8)),
        "vector": nifti1("<", 2, 1, (5, 2, 1, 2, 1, 2, 1, 1), bytes(8)),
        "pair": plain[:344] + b"ni1\0" + b"\n=PART=\n" + gzip.compress(bytes(352) + shorts, mtime=0),
        "huge": nifti2("<", 2, 1, (4, 1 << 40, 1 << 40, 1 << 40, 3, 1, 1, 1), bytes(8)),
        "no_spacing": nifti1("<", 2, 1, dim, bytes(8), pixdim=(0, float("nan"), -3)),
        "text": b"not an image at all",
    }
    for name, data in files.items():
        with open(f"{folder}/{name}", "wb") as f:
            f.write(data)


if __name__ == "__main__":
    main(sys.argv[1])
