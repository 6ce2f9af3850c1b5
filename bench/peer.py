"""The other side of bench/step: PyTorch, the newest from PyPI.

    pip install torch dynamic-network-architectures

Run as a program it makes some training steps of ResEnc-L and prints one JSON line. Importing it
costs nothing until torch is asked for.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import sys
import time

NEEDED = "pip install torch dynamic-network-architectures"

# Variables that would hold PyTorch's libraries back, or tune them for another CPU than this one.
UNSET = ("OPENBLAS", "MKL", "OMP", "GOMP", "KMP", "ONEDNN", "DNNL", "ATEN", "BLIS", "GOTO", "NVPL")

# glibc gives no memory back, so that pages are touched for the first time only once.
KEEP = {"GLIBC_TUNABLES": "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=17179869184"}

# What may make PyTorch faster: environment, and what is done with the net. "plain" is how it
# comes. "compile" wants a C++ compiler, and minutes the first time.
SETTINGS = {
    "plain": ({}, ()),
    "fused": ({}, ("fused",)),
    "channels_last_3d": ({}, ("channels_last_3d",)),
    "compile": ({}, ("compile",)),
    "keep": (KEEP, ("fused",)),
    "keep_channels_last_3d": (KEEP, ("fused", "channels_last_3d")),
    "keep_compile": (KEEP, ("fused", "compile")),
}


def environment(setting="plain", cpu=None):
    """The environment of a PyTorch process: nothing set that was not asked for here."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(UNSET) and k not in KEEP}
    env.update(SETTINGS[setting][0])
    if cpu == "avx2":
        env.update(ONEDNN_MAX_CPU_ISA="AVX2", ATEN_CPU_CAPABILITY="avx2")
        env.update(MKL_ENABLE_INSTRUCTIONS="AVX2")
    return env


def want():
    """End the program with advice when PyTorch or the net is not to be had."""
    for module in ("torch", "dynamic_network_architectures"):
        if importlib.util.find_spec(module) is None:
            name = os.path.basename(sys.argv[0])
            sys.exit(f"{name}: {module} is not there; {NEEDED}")


def resenc_l():
    """ResEnc-L as nnssl's trainers build it: 102,348,965 parameters."""
    import torch
    from dynamic_network_architectures.architectures.unet import ResidualEncoderUNet

    net = ResidualEncoderUNet(
        input_channels=1,
        n_stages=6,
        features_per_stage=[32, 64, 128, 256, 320, 320],
        conv_op=torch.nn.Conv3d,
        kernel_sizes=3,
        strides=[1, 2, 2, 2, 2, 2],
        n_blocks_per_stage=[1, 3, 4, 6, 6, 6],
        num_classes=1,
        n_conv_per_stage_decoder=1,
        conv_bias=True,
        norm_op=torch.nn.InstanceNorm3d,
        norm_op_kwargs={"eps": 1e-5, "affine": True},
        nonlin=torch.nn.LeakyReLU,
        nonlin_kwargs={"inplace": True},
        deep_supervision=False,
    )
    assert sum(p.numel() for p in net.parameters()) == 102348965
    return net


class Step:
    """A step of nnssl's BaseMAETrainer: 75 % of blocks of 16^3 hidden, error of the hidden voxels
    only, gradient clipped to norm 12, SGD with Nesterov momentum."""

    def __init__(self, patch, batch, options):
        import torch

        self.clip = torch.nn.utils.clip_grad_norm_
        torch.manual_seed(1)
        self.net = resenc_l()
        self.x = torch.randn(batch, 1, patch, patch, patch)
        blocks = patch // 16
        keep = torch.zeros(batch, 1, blocks**3)
        keep[..., torch.randperm(blocks**3)[: blocks**3 - int(0.75 * blocks**3)]] = 1
        self.keep = keep.reshape(batch, 1, blocks, blocks, blocks)
        for axis in (2, 3, 4):
            self.keep = self.keep.repeat_interleave(16, axis)
        if "channels_last_3d" in options:
            self.net = self.net.to(memory_format=torch.channels_last_3d)
            self.x = self.x.to(memory_format=torch.channels_last_3d)
        self.run = torch.compile(self.net) if "compile" in options else self.net
        self.optimizer = torch.optim.SGD(
            self.net.parameters(),
            lr=1e-2,
            weight_decay=3e-5,
            momentum=0.99,
            nesterov=True,
            fused=True if "fused" in options else None,
        )

    def __call__(self):
        self.optimizer.zero_grad(set_to_none=True)
        y = self.run(self.x * self.keep)
        hidden = 1 - self.keep
        loss = ((y - self.x) ** 2 * hidden).sum() / hidden.sum()
        loss.backward()
        self.clip(self.net.parameters(), 12)
        self.optimizer.step()
        return float(loss.detach())


def rss_mib():
    with contextlib.suppress(OSError), open("/proc/self/status") as f:
        for line in f:
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 1)
    return None


def step_process(args):
    import torch

    torch.set_num_threads(args.threads)
    imported = rss_mib()
    step = Step(args.patch, args.batch, SETTINGS[args.setting][1])
    loss = [step()]  # the first one is not counted: it touches memory and makes kernels
    ms = []
    for _ in range(args.repeat):
        start = time.perf_counter()
        loss.append(step())
        ms.append(round(1e3 * (time.perf_counter() - start), 3))
    assert all(v == v for v in loss), loss
    print(
        json.dumps(
            {
                "ms": ms,
                "rss_mib": rss_mib(),
                "rss_import_mib": imported,
                "torch": torch.__version__,
                "capability": torch.backends.cpu.get_cpu_capability(),
            }
        )
    )


def main():
    p = argparse.ArgumentParser(description="steps of ResEnc-L by PyTorch: a process of bench/step")
    p.add_argument("--patch", type=int, default=64)
    p.add_argument("--batch", type=int, default=1)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--repeat", type=int, default=3)
    p.add_argument("--setting", default="plain", choices=SETTINGS)
    want()
    step_process(p.parse_args())


if __name__ == "__main__":
    main()
