"""Load the checkpoint that test_pth.c wrote as PyTorch users do; exit 77 without torch >= 2.6."""
import sys

try:
    import torch

    if tuple(int(n) for n in torch.__version__.split(".")[:2]) < (2, 6):
        raise ImportError
except ImportError:
    sys.exit(77)

for mmap in (False, True):
    d = torch.load(sys.argv[1], weights_only=True, mmap=mmap)
    assert list(d) == ["network_weights", "init_args", "_best_ema"]
    w = d["network_weights"]
    assert list(w) == ["conv.weight", "all_modules.0.weight", "big", "step"]
    assert w["conv.weight"].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert w["conv.weight"].data_ptr() == w["all_modules.0.weight"].data_ptr()
    assert w["conv.weight"].untyped_storage().nbytes() == 24
    assert torch.equal(w["big"], torch.arange(3e6).reshape(3, 1000, 1000))
    assert w["step"].shape == () and w["step"].item() == 1
    assert not w["conv.weight"].requires_grad and w["conv.weight"].device.type == "cpu"
    assert d["init_args"] == {"device": torch.device("cuda", 0), "betas": (0.9, 0.98),
                              "bytes": b"\x00\xff", "dtype": torch.float16, -1: 2**40}
    assert d["_best_ema"] is None
