"""How far replayed training drifts from PyTorch in float64, next to how far PyTorch in float32 does.

    drift.py FOLDER                                             medium net, 32^3, 20 steps, 5 seeds
    drift.py FOLDER --net resenc_l --patch 64,64,64 --seeds 1   one seed more of another

Per seed: PyTorch's initial values, `steps` batches, SGD-Nesterov at the recipe's rates. The bundle
and both of PyTorch's runs stay in FOLDER, so that another build is compared in the time it takes to
replay (`--voxmind build/voxmind --paths avx512 --set cpu.winograd=false`).

Printed are relative L2 distances from float64: of all parameters after the last step, as part of
how far they moved, and of the curve of losses; the median over seeds, its ratio to PyTorch
float32's, and each seed. --check: exit 1 where a ratio is beyond 2 (replay.md).

Rounding grows from step to step, so a single seed says little. With two voxels at the coarsest
stage (resenc_l at 64x32x32) the norm there keeps little but signs, and runs in float32, PyTorch's
too, end as far from float64 as from their start: take more voxels.
"""

import argparse
import os
import subprocess
import sys

import numpy as np
import replay_bundle as rb
import torch
import voxgold as v
from replay_compare import Bundle
from safetensors.numpy import save_file

LIMIT = 2.0
WANT = ("final",)


def make(args, seed, stem):
    """The bundle of a seed and PyTorch's runs of it, where they are missing."""
    missing = [d for d in ("f64", "f32") if not os.path.exists("%s_%s.safetensors" % (stem, d))]
    if not missing:
        return
    torch.manual_seed(seed)
    net = v.build(**v.PRESETS[args.net])
    start = {n: p.detach().clone() for n, p in net.named_parameters()}
    rng = np.random.default_rng(seed)
    steps = [rb.inputs(args, rng) for _ in range(args.steps)]
    rates = [rb.SGD["lr"]] * args.steps
    rb.write_bundle(stem + ".safetensors", net, steps, rb.spec_of(args, rb.SGD, rates, WANT))
    for name in missing:
        dtype = torch.float64 if name == "f64" else torch.float32
        net = net.to(dtype)
        net.load_state_dict(start, strict=False)
        out = rb.reference(net, steps, args.block, rb.SGD, rates, dtype, WANT)
        save_file(out, "%s_%s.part" % (stem, name))
        os.replace("%s_%s.part" % (stem, name), "%s_%s.safetensors" % (stem, name))


def losses(bundle, steps):
    return np.array([bundle["step%d/loss" % k].item() for k in range(steps)])


def drift(stem, found, steps):
    """(parameters, losses) of a run against float64's."""
    start, want = Bundle(stem + ".safetensors"), Bundle(stem + "_f64.safetensors")
    off = moved = 0.0
    for k in want.below("step%d/param/" % (steps - 1)):
        end = want[k]
        off += np.linalg.norm(found[k] - end) ** 2
        moved += np.linalg.norm(start[k.split("/", 1)[1]] - end) ** 2
    a, b = losses(found, steps), losses(want, steps)
    return np.sqrt(off / moved), np.linalg.norm(a - b) / np.linalg.norm(b)


def replay(args, path, stem):
    out = stem + "_ours.safetensors"
    settings = [word for pair in args.set for word in ("--set", pair)]
    subprocess.run([args.voxmind, "replay", "--path", path, *settings, stem + ".safetensors",
                    out], check=True)
    return out


def show(name, rows, torch_rows):
    """One line of figures. @return the larger ratio"""
    rows, torch_rows = np.array(rows), np.array(torch_rows)
    ratio = np.median(rows, 0) / np.median(torch_rows, 0)
    cells = ["%.2e x%-5.2f (%s)" % (np.median(rows[:, c]), ratio[c],
                                    " ".join("%.1e" % x for x in rows[:, c])) for c in (0, 1)]
    print("%-12s parameters %s\n%-12s losses     %s" % (name, cells[0], "", cells[1]))
    return ratio.max()


def parse():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("folder")
    p.add_argument("--net", default="medium", choices=sorted(v.PRESETS))
    p.add_argument("--patch", default="32,32,32", type=lambda t: [int(n) for n in t.split(",")])
    p.add_argument("--batch", default=2, type=int)
    p.add_argument("--steps", default=20, type=int)
    p.add_argument("--block", default=8, type=int)
    p.add_argument("--hidden", default=0.75, type=float)
    p.add_argument("--seeds", default="1,2,3,4,5", type=lambda t: [int(n) for n in t.split(",")])
    p.add_argument("--paths", default="plain,avx2,avx512", help="CPU kernels, or none: only make")
    p.add_argument("--set", default=[], action="append", help="handed on, cpu.winograd=false")
    p.add_argument("--voxmind", default="build/voxmind")
    p.add_argument("--check", action="store_true")
    return p.parse_args()


def main():
    args = parse()
    torch.set_num_threads(os.cpu_count())
    os.makedirs(args.folder, exist_ok=True)
    key = "%s_%s_b%d_k%d" % (args.net, "x".join(map(str, args.patch)), args.batch, args.steps)
    stems = [os.path.join(args.folder, "%s_seed%d" % (key, seed)) for seed in args.seeds]
    for seed, stem in zip(args.seeds, stems):
        make(args, seed, stem)
    torch_rows = [drift(s, Bundle(s + "_f32.safetensors"), args.steps) for s in stems]
    first = losses(Bundle(stems[0] + "_f64.safetensors"), args.steps)
    print("%s, %d seeds; the first one's loss goes from %.4f to %.4f"
          % (key, len(stems), first[0], first[-1]))
    worst = show("PyTorch f32", torch_rows, torch_rows)
    for path in [p for p in args.paths.split(",") if p]:
        rows = []
        for stem in stems:
            out = replay(args, path, stem)
            rows.append(drift(stem, Bundle(out), args.steps))
            os.remove(out)
        worst = max(worst, show(path, rows, torch_rows))
    if args.check and worst > LIMIT:
        sys.exit("a median is beyond %g times PyTorch float32's" % LIMIT)


if __name__ == "__main__":
    main()
