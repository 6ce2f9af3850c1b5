#!/usr/bin/env python3
"""Compare how images are read with SimpleITK, on files that SimpleITK, nibabel and pynrrd wrote; NIfTI-2,
which SimpleITK does not read, with nibabel.

Usage: image_formats.py FOLDER [--voxmind build/voxmind]     (Python 3; SimpleITK, nibabel, pynrrd)
       image_formats.py --golden tests/golden/images         (writes what golden/test_images reads)

Every file is read by one of them and, through `voxmind export`, by us: voxels must be equal as
float32, spacing, origin and direction to 1e-5. Prints a line per disagreement and the count.
"""
import argparse
import json
import os
import subprocess
import sys

import nibabel as nib
import nrrd
import numpy as np
import SimpleITK as sitk

DTYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]
SHAPE = (5, 7, 9)  # z, y, x


def rotation(rng):
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    return q * np.sign(np.diag(r))  # of either handedness


def voxels(rng, dtype, shape=SHAPE):
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return rng.normal(scale=1000, size=shape).astype(kind)
    info = np.iinfo(kind)
    return rng.integers(info.min, info.max, size=shape, dtype=kind, endpoint=True)


def write_sitk(folder, rng):
    """Every dtype, ending and packing that SimpleITK writes."""
    endings = [("nii", 0), ("nii.gz", 1), ("hdr", 0), ("nrrd", 0), ("nrrd", 1), ("nhdr", 0), ("nhdr", 1),
               ("mha", 0), ("mha", 1), ("mhd", 0), ("mhd", 1)]
    for dtype in DTYPES:
        for ending, packed in endings:
            image = sitk.GetImageFromArray(voxels(rng, dtype))
            image.SetSpacing(rng.uniform(0.3, 4, 3).tolist())
            image.SetOrigin(rng.uniform(-200, 200, 3).tolist())
            image.SetDirection(rotation(rng).ravel().tolist())
            path = f"{folder}/sitk_{dtype}_{packed}.{ending}"
            sitk.WriteImage(image, path, useCompression=bool(packed))
            yield path
    for ending in ["nrrd", "mha", "mhd", "nhdr"]:
        for packed in 0, 1:
            image = sitk.GetImageFromArray(voxels(rng, "i2", SHAPE + (3,)), isVector=True)
            image.SetSpacing(rng.uniform(0.3, 4, 3).tolist())
            path = f"{folder}/sitk_vector_{packed}.{ending}"
            sitk.WriteImage(image, path, useCompression=bool(packed))
            yield path


def write_nibabel(folder, rng):
    """Both versions, both byte orders, pairs, scales, units, every combination of codes."""
    for dtype in DTYPES:
        for order in "<>":
            for cls, ending in [(nib.Nifti1Image, "nii"), (nib.Nifti2Image, "nii.gz"), (nib.Nifti1Pair, "hdr"),
                                (nib.Nifti2Pair, "img.gz")]:
                data = voxels(rng, dtype).T
                affine = np.eye(4)
                affine[:3, :3] = rotation(rng) @ np.diag(rng.uniform(0.5, 3, 3))
                affine[:3, 3] = rng.uniform(-100, 100, 3)
                header = cls.header_class(endianness=order)
                header.set_data_dtype(np.dtype(dtype).newbyteorder(order))
                image = cls(data.astype(np.dtype(dtype).newbyteorder(order)), affine, header)
                image.header.set_xyzt_units("mm")
                path = f"{folder}/nib_{dtype}_{'le' if order == '<' else 'be'}_{cls.__name__}.{ending}"
                nib.save(image, path)
                yield path.replace(".img", ".hdr")
    for qcode in range(0, 3):
        for scode in range(0, 3):
            for unit in ["mm", "meter", "micron", "unknown"]:
                image = nib.Nifti1Image(voxels(rng, "i2").T, np.eye(4))
                q, s = np.eye(4), np.eye(4)
                q[:3, :3], q[:3, 3] = rotation(rng) @ np.diag([1.0, 2.0, 3.0]), [1, 2, 3]
                s[:3, :3], s[:3, 3] = rotation(rng) @ np.diag([1.0, 2.0, 3.0]), [4, 5, 6]
                image.set_sform(s, scode)
                image.set_qform(q, qcode)
                image.header.set_xyzt_units(unit)
                image.header.set_slope_inter(*[(None, None), (2.5, -7), (1, 100)][scode])
                path = f"{folder}/nib_codes_{qcode}{scode}_{unit}.nii"
                nib.save(image, path)
                yield path


def write_nrrd(folder, rng):
    spaces = ["left-posterior-superior", "right-anterior-superior", "left-anterior-superior", "scanner-xyz"]
    for i, dtype in enumerate(DTYPES):
        for encoding in ["raw", "gzip", "ascii"]:
            if encoding == "ascii" and dtype in ("f4", "f8"):
                continue  # pynrrd prints too few digits
            for detached in 0, 1:
                header = {"space": spaces[i % 4], "space directions": rotation(rng) @ np.diag([1.0, 2.0, 3.0]),
                          "space origin": rng.uniform(-100, 100, 3), "encoding": encoding,
                          "endian": "big" if i % 3 == 2 else "little"}
                path = f"{folder}/nrrd_{dtype}_{encoding}_{detached}.{'nhdr' if detached else 'nrrd'}"
                data = voxels(rng, dtype)
                if encoding == "ascii":
                    data = (data % 100).astype(dtype)
                nrrd.write(path, data.T, header, detached_header=bool(detached))
                yield path
    for axis in 0, 3:
        kinds = ["domain"] * 3
        kinds.insert(axis, "vector")
        directions = [list(row) for row in np.diag([1.0, 2.0, 3.0])]
        directions.insert(axis, [np.nan] * 3)
        path = f"{folder}/nrrd_vector_{axis}.nrrd"
        shape = list(SHAPE[::-1])
        shape.insert(axis, 2)
        nrrd.write(path, voxels(rng, "i2", shape), {"kinds": kinds, "space": spaces[0], "space origin": [1, 2, 3],
                                                    "space directions": np.array(directions)})
        yield path


def write_golden(folder):
    """One small image in every format, by the three libraries. Voxels, spacing, origin and direction are
    known to tests/golden/test_images.c."""
    z, y, x = np.indices((3, 4, 5))
    data = ((7 * z + 3 * y + 5 * x) % 11 - 3).astype("<i2")
    spacing, origin = [0.5, 0.75, 2.0], [10.0, -20.0, 30.0]
    direction = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # ITK's world
    image = sitk.GetImageFromArray(data)
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(direction.ravel().tolist())
    for name, packed in [("sitk.nrrd", 1), ("sitk_raw.nrrd", 0), ("sitk.nhdr", 0), ("sitk_gz.nhdr", 1), ("sitk.mha", 1),
                         ("sitk_raw.mha", 0), ("sitk.mhd", 0), ("sitk_z.mhd", 1), ("sitk.hdr", 0), ("sitk.nii.gz", 1)]:
        sitk.WriteImage(image, f"{folder}/{name}", useCompression=bool(packed))
    channels = sitk.GetImageFromArray(np.stack([data, data + 100], -1), isVector=True)
    channels.CopyInformation(image)
    for name in "sitk_channels.nrrd", "sitk_channels.mha":
        sitk.WriteImage(channels, f"{folder}/{name}", useCompression=True)
    flip = np.diag([-1.0, -1.0, 1.0])
    affine = np.eye(4)
    affine[:3, :3] = flip @ direction @ np.diag(spacing)
    affine[:3, 3] = flip @ origin
    for cls, order, name in [(nib.Nifti1Image, ">", "nib_be.nii"), (nib.Nifti2Image, "<", "nib2.nii.gz"),
                             (nib.Nifti1Pair, "<", "nib_pair.img"), (nib.Nifti2Pair, ">", "nib2_pair.img.gz")]:
        kind = np.dtype("i2").newbyteorder(order)
        header = cls.header_class(endianness=order)
        header.set_data_dtype(kind)
        nib.save(cls(data.T.astype(kind), affine, header), f"{folder}/{name}")
    header = {"space": "right-anterior-superior", "space directions": (flip @ direction @ np.diag(spacing)).T,
              "space origin": flip @ origin}
    for name, encoding, detached in [("pynrrd.nrrd", "gzip", False), ("pynrrd_txt.nrrd", "ascii", False),
                                     ("pynrrd.nhdr", "raw", True)]:
        nrrd.write(f"{folder}/{name}", data.T, dict(header, encoding=encoding), detached_header=detached)


def ours(voxmind, path, out):
    told = subprocess.run([voxmind, "export", "--json", path, "-o", out], capture_output=True, text=True)
    if told.returncode:
        return told.stderr.strip(), None
    return json.loads(told.stdout), np.asarray(nib.load(out).dataobj)


def by_nibabel(path):
    image = nib.load(path)
    affine = image.affine
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    voxels = np.asarray(image.dataobj).astype(np.float32).T
    return voxels, spacing[::-1], affine[:3, 3], affine[:3, :3] / spacing


def by_sitk(path):
    image = sitk.ReadImage(path)
    flip = np.diag([-1.0, -1.0, 1.0])  # ITK's world to NIfTI's
    voxels = sitk.GetArrayFromImage(image).astype(np.float32)
    if image.GetNumberOfComponentsPerPixel() > 1:
        voxels = np.moveaxis(voxels, -1, 0)
    return (voxels, image.GetSpacing()[::-1], flip @ np.array(image.GetOrigin()),
            flip @ np.array(image.GetDirection()).reshape(3, 3))


def compare(voxmind, path, out):
    told, found = ours(voxmind, path, out)
    if found is None:
        return [told]
    want, *geometry = (by_nibabel if "Nifti2" in path else by_sitk)(path)
    found = found.T  # (c,) z, y, x
    problems = []
    if want.shape != found.shape or not np.array_equal(want, found):
        problems.append(f"voxels differ: {want.shape} {found.shape}")
    for name, a in zip(["spacing", "origin", "direction"], geometry):
        if not np.allclose(np.ravel(a), told[name], rtol=1e-5, atol=1e-5):
            problems.append(f"{name}: wanted {np.round(a, 6).tolist()}, found {np.round(told[name], 6).tolist()}")
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--golden", action="store_true")
    parser.add_argument("--voxmind", default="build/voxmind")
    args = parser.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    sitk.ProcessObject_SetGlobalWarningDisplay(False)
    if args.golden:
        return write_golden(args.folder)
    rng = np.random.default_rng(1)
    count = bad = 0
    for write in write_sitk, write_nibabel, write_nrrd:
        for path in write(args.folder, rng):
            problems = compare(args.voxmind, path, args.folder + "/out.nii")
            count += 1
            bad += bool(problems)
            for problem in problems:
                print(f"{path}: {problem}")
    print(f"{count} files, {bad} disagree")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
