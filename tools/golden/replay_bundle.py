"""Make replay bundles from PyTorch: the input for `voxmind replay`, and what PyTorch computes.

    replay_bundle.py OUT_FOLDER --net resenc_l --patch 64,32,96 --weights smooth --steps 3

writes <net>_<weights>.safetensors (the bundle), <...>_f64.safetensors and <...>_f32.safetensors
(the reference, and what another right f32 implementation makes of it). Compare with
replay_compare.py.
"""

import argparse
import json
import os
import sys

import numpy as np
import torch
import voxgold as v
from safetensors.numpy import save_file

SGD = dict(name="sgd", lr=0.01, momentum=0.99, nesterov=True, weight_decay=3e-5, clip=12)
ADAMW = dict(name="adamw", lr=3e-4, betas=[0.9, 0.98], eps=1e-8, weight_decay=5e-2, clip=1)
OPTIONS = ("features", "blocks", "strides", "decoder_blocks", "skips")


def random_fill(net, weights, seed):
    """The weights of replay.md's table, drawn."""
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for name, p in net.named_parameters():
            shape = tuple(p.shape)
            if len(shape) >= 2:
                x = rng.uniform(-1, 1, shape) * np.sqrt(3.0 / (p.numel() / shape[0]))
            elif name.endswith("norm.weight"):
                x = (rng.uniform(0.08, 0.12, shape) if weights == "smooth"
                     else rng.uniform(0.5, 1.5, shape))
            elif name.endswith("norm.bias"):
                sign = 1 - 2.0 * (np.arange(shape[0]) % 2)
                x = (sign * rng.uniform(0.95, 1.05, shape) if weights == "smooth"
                     else rng.normal(0, 0.3, shape))
            else:
                x = rng.normal(0, 0.1, shape)
            p.copy_(torch.from_numpy(x.astype(np.float32)))


def inputs(args, rng):
    z, y, x = args.patch
    grid = [n // args.block for n in args.patch]
    image = rng.normal(0, 1, (args.batch, 1, z, y, x)).astype(np.float32)
    for _ in range(2):  # something smoother than noise
        for axis in (2, 3, 4):
            image = (image + np.roll(image, 1, axis)) / np.float32(1.5)
    keep = np.ones((args.batch, 1, *grid), np.uint8)
    n = int(np.prod(grid))
    for b in range(args.batch):
        hidden = rng.permutation(n)[: int(args.hidden * n)]
        keep[b].reshape(-1)[hidden] = 0
    return dict(x=image, keep=keep)


def loss_of(y, x, keep):
    hidden = 1 - keep
    return ((y - x) ** 2 * hidden).sum() / hidden.sum()


def make_optimizer(net, o):
    if o["name"] == "sgd":
        return torch.optim.SGD(net.parameters(), o["lr"], momentum=o["momentum"],
                               nesterov=o["nesterov"], weight_decay=o["weight_decay"])
    return torch.optim.AdamW(net.parameters(), o["lr"], betas=tuple(o["betas"]), eps=o["eps"],
                             weight_decay=o["weight_decay"])


def reference(net, steps, block, o, rates, dtype, want=("out", "grad", "param")):
    """The output bundle as PyTorch computes it in `dtype`; gradients and outputs as f32.

    want: as in a bundle; the loss and the gradient's norm are always there.
    """
    net = net.to(dtype)
    opt = make_optimizer(net, o)
    out = {}
    for k, step in enumerate(steps):
        x = torch.from_numpy(step["x"]).to(dtype)
        keep = torch.from_numpy(step["keep"]).to(dtype)
        for axis in (2, 3, 4):
            keep = keep.repeat_interleave(block, axis)
        opt.zero_grad(set_to_none=True)
        named = v.outputs(net, x * keep)
        y = named["y"]
        loss = loss_of(y, x, keep)
        loss.backward()
        prefix = "step%d/" % k
        for name, p in net.named_parameters():
            if "grad" in want and p.grad is not None:
                out[prefix + "grad/" + name] = p.grad.float().numpy().copy()
        out[prefix + "grad_norm"] = np.array(
            [torch.nn.utils.clip_grad_norm_(net.parameters(), o["clip"]).item()])
        for group in opt.param_groups:
            group["lr"] = rates[k]
        opt.step()
        out[prefix + "loss"] = np.array([loss.item()])
        for name, value in named.items():
            if "out" in want and not name.startswith("enc_"):
                out[prefix + "out/" + name] = value.detach().float().numpy().copy()
        if "param" in want or "final" in want and k == len(steps) - 1:
            for name, p in net.named_parameters():
                out[prefix + "param/" + name] = p.detach().numpy().copy()
    return out


def spec_of(args, o, rates, want=("out", "grad", "param")):
    sizes = v.PRESETS[args.net]
    spec = dict(version=1, method="mae", steps=args.steps, optimizer=o, lr=rates,
                want=["loss", *want],
                options={"mae.block": args.block, "mae.hidden": args.hidden})
    if args.net.startswith("resenc_"):
        spec["net"] = args.net
        return spec
    spec["net"] = "resenc_unet"
    spec["options"].update({"resenc_unet." + k: x for k, x in sizes.items() if k in OPTIONS})
    return spec


def write_bundle(path, net, steps, spec):
    bundle = {"param/" + n: p.detach().numpy().copy() for n, p in net.named_parameters()}
    for k, step in enumerate(steps):
        for name, a in step.items():
            bundle["step%d/%s" % (k, name)] = a
    save_file(bundle, path, metadata={"voxmind.replay": json.dumps(spec)})


def parse():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("folder")
    p.add_argument("--net", default="resenc_xs", choices=sorted(v.PRESETS))
    p.add_argument("--patch", default="64,32,96", type=lambda t: [int(n) for n in t.split(",")])
    p.add_argument("--weights", default="smooth", choices=["smooth", "ordinary"])
    p.add_argument("--optimizer", default="sgd", choices=["sgd", "adamw"])
    p.add_argument("--batch", default=2, type=int)
    p.add_argument("--steps", default=3, type=int)
    p.add_argument("--block", default=16, type=int)
    p.add_argument("--hidden", default=0.75, type=float)
    p.add_argument("--seed", default=1, type=int)
    p.add_argument("--no-f32", action="store_true", help="leave out the f32 run of PyTorch")
    p.add_argument("--bundle-only", action="store_true", help="leave out both")
    return p.parse_args()


def main():
    args = parse()
    torch.set_num_threads(os.cpu_count())
    o = dict(SGD if args.optimizer == "sgd" else ADAMW)
    rates = [o["lr"] * (1 - 0.1 * k) for k in range(args.steps)]
    net = v.build(**v.PRESETS[args.net])
    random_fill(net, args.weights, args.seed)
    rng = np.random.default_rng(args.seed + 1)
    steps = [inputs(args, rng) for _ in range(args.steps)]
    os.makedirs(args.folder, exist_ok=True)
    stem = os.path.join(args.folder, "%s_%s" % (args.net, args.weights))
    write_bundle(stem + ".safetensors", net, steps, spec_of(args, o, rates))
    if args.bundle_only:
        return
    v.write_meta(args.folder, "tools/golden/replay_bundle.py", arguments=sys.argv[2:],
                 seed=args.seed, dtype="float64, gradients and outputs stored as float32",
                 rtol=1e-3 if args.weights == "smooth" else 5e-2,
                 why="limits of replay.md's table for %s weights" % args.weights)
    start = {n: p.detach().clone() for n, p in net.named_parameters()}
    for dtype, tail in ((torch.float64, "_f64"), (torch.float32, "_f32")):
        if dtype == torch.float32 and args.no_f32:
            continue
        net = net.to(dtype)
        net.load_state_dict(start, strict=False)
        save_file(reference(net, steps, args.block, o, rates, dtype), stem + tail + ".safetensors")


if __name__ == "__main__":
    main()
