"""Tensor files written by their own libraries: tests/golden/tensor_files and fuzz seeds.

Run by hand with torch, numpy and safetensors installed:  python tools/golden/tensor_files.py
"""
import io
import json
import os
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


def conv_net():
    """A tiny net with PyTorch's alias names, as the peer's conv units have them."""
    torch.manual_seed(1)
    conv, norm = torch.nn.Conv3d(1, 2, 3), torch.nn.InstanceNorm3d(2, affine=True)
    net = torch.nn.Module()
    net.conv, net.norm = conv, norm
    net.all_modules = torch.nn.Sequential(conv, norm)
    return net


def peer_checkpoint():
    """The dictionary of checkpoints.md 7: plain containers only."""
    net = conv_net()
    sgd = torch.optim.SGD(net.parameters(), 0.01, momentum=0.99, nesterov=True)
    sum(p.sum() for p in net.parameters()).backward()
    sgd.step()
    return {
        "network_weights": dict(net.state_dict()),
        "optimizer_state": sgd.state_dict(),
        "grad_scaler_state": None,
        "logging": {"train_losses": [0.5, 0.25], "lrs": [0.01, 0.009]},
        "_best_ema": 0.25,
        "current_epoch": 2,
        "init_args": {"fold": "all", "device": torch.device("cuda", 0), "pretrain_json": {}},
        "trainer_name": "BaseMAETrainer",
        "nnssl_adaptation_plan": {"recommended_downstream_patchsize": (160, 160, 160),
                                  "key_to_lpe": None},
    }


def odd_values():
    """What other writers leave in checkpoints: NumPy scalars, slices, every element type."""
    base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    one = torch.arange(3)
    return {
        "state_dict": conv_net().state_dict(),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "slice": base[:, 1:, ::2],
        "turned": base.permute(2, 0, 1),
        "scalar": torch.tensor(7.5),
        "empty": torch.zeros(0, 3),
        "types": {str(t).split(".")[1]: one.to(t) for t in (
            torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32,
            torch.int16, torch.int8, torch.uint8, torch.bool)},
        "numpy": [np.float32(1.5), np.float64(-0.25), np.int64(-3), np.bool_(True),
                  np.float16(0.5), np.uint8(200)],
        "array": np.asfortranarray(np.arange(6, dtype=np.int32).reshape(2, 3)),
        "size": torch.Size([2, 3]),
        "dtype": torch.float16,
        "set": {1},
        "complex": complex(1, -2),
        "bytes": b"\x00\xff",
        "bytearray": bytearray(b"ab"),
        "ints": [0, 255, 256, 65535, 65536, -1, 2**31, 2**40, -2**63, 2**63 - 1],
        "floats": [float("inf"), float("-inf"), 1e-300],
        "text": "h\u00e4\U0001f600",
        "many": {str(i): i for i in range(1001)},
        "betas": (0.9, 0.98),
    }


def re_zipped(data, method, reverse):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as a, zipfile.ZipFile(out, "w") as b:
        names = a.namelist()
        for name in reversed(names) if reverse else names:
            b.writestr(zipfile.ZipInfo(name), a.read(name), compress_type=method)
    return out.getvalue()


def saved(value, **kwargs):
    out = io.BytesIO()
    torch.save(value, out, **kwargs)
    return out.getvalue()


class Stranger:
    def __init__(self):
        self.x = 1


class Attack:
    def __reduce__(self):
        return os.system, ("true",)


def pth_files():
    small = {"a": torch.arange(6.0).reshape(2, 3)}
    files = {
        "peer": saved(peer_checkpoint()),
        "odd": saved(odd_values()),
        "small": saved(small),
        "legacy": saved(small, _use_new_zipfile_serialization=False),
        "attack": saved({"a": Attack()}),
        "stranger": saved({"a": Stranger(), "b": 2}),
        "deflated": re_zipped(saved(small), zipfile.ZIP_DEFLATED, False),
        "reversed": re_zipped(saved(small), zipfile.ZIP_STORED, True),
    }
    torch.serialization.set_crc32_options(False)
    files["unchecked"] = saved(small)
    torch.serialization.set_crc32_options(True)
    for name, data in files.items():
        put("golden", name + ".pth", data)
        if name in ("peer", "small", "deflated", "reversed", "stranger"):
            put("pth", name, data)
        if name not in ("legacy", "deflated", "reversed", "unchecked"):
            with zipfile.ZipFile(io.BytesIO(data)) as z:
                put("pickle", name, z.read("archive/data.pkl"))


def main():
    GOLDEN.mkdir(parents=True, exist_ok=True)
    safetensors_files()
    npy_files()
    zip_files()
    pth_files()
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
