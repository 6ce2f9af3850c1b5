"""Tensor files written by their own libraries: tests/golden/tensor_files and fuzz seeds.

Run by hand with torch, numpy and safetensors installed:  python tools/golden/tensor_files.py
"""
import json
import pathlib
import zipfile

import numpy as np
import safetensors
import safetensors.numpy as st
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden/tensor_files"
CORPUS = ROOT / "fuzz/corpus"


def put(folder, name, data):
    path = (GOLDEN if folder == "golden" else CORPUS / folder) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def safetensors_files():
    tensors = {
        "f32": np.arange(6, dtype=np.float32).reshape(2, 3) / 4,
        "f64": np.array(0.1),
        "i64": np.array([-1, 2**40], dtype=np.int64),
        "u8": np.arange(5, dtype=np.uint8),
        "bool": np.array([True, False]),
        "f16": np.array([1.5, -2.0], dtype=np.float16),
        "empty": np.zeros((0, 4), dtype=np.int32),
    }
    data = st.save(tensors, metadata={"format": "pt", "ä": '{"a": "x\\n"}'})
    put("golden", "plain.safetensors", data)
    put("safetensors", "plain", data)
    put("safetensors", "one", st.save({"a": np.zeros(2, dtype=np.int8)}))
    put("safetensors", "empty", st.save({}))


def npy_files():
    for name, array in {
        "f32": np.arange(6, dtype=np.float32).reshape(2, 3) / 4,
        "fortran": np.asfortranarray(np.arange(24, dtype=np.int64).reshape(2, 3, 4)),
        "u8": np.arange(5, dtype=np.uint8),
        "scalar": np.array(0.1),
    }.items():
        path = GOLDEN / (name + ".npy")
        np.save(path, array)
        put("npy", name, path.read_bytes())


def zip_files():
    path = GOLDEN / "deflated.zip"
    with zipfile.ZipFile(path, "w") as z:
        for name, method in (("stored", zipfile.ZIP_STORED), ("packed", zipfile.ZIP_DEFLATED)):
            z.writestr(zipfile.ZipInfo(name), "a" * 1000, compress_type=method)


def main():
    GOLDEN.mkdir(parents=True, exist_ok=True)
    safetensors_files()
    npy_files()
    zip_files()
    meta = {
        "script": "tools/golden/tensor_files.py",
        "versions": {"numpy": np.__version__, "safetensors": safetensors.__version__,
                     "torch": torch.__version__},
        "seed": None,
        "atol": 0,
        "rtol": 0,
        "why": "files of other writers hold the same bits",
    }
    (GOLDEN / "meta.json").write_text(json.dumps(meta, indent=4) + "\n")


main()
