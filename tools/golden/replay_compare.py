"""Compare an output bundle of `voxmind replay` with PyTorch's in float64.

    replay_compare.py BUNDLE REFERENCE_F64 FOUND [--weights smooth|ordinary] [--check]

prints the figures of the table of limits (relative L2): loss and outputs (worst), gradients (worst,
median, projection), displacements of the parameters from their start. --check: exit 1 beyond the
limits. Gradients are taken relative to 1e-5 of the whole where their tensor's is smaller; "own" is
the median without that floor, over the tensors whose gradient is not zero in float64.
"""

import argparse
import sys

import numpy as np
from safetensors import safe_open


class Bundle:
    """Tensors of a file by name, read when asked for (a bundle may hold gigabytes)."""

    def __init__(self, path):
        self.file = safe_open(path, "np")
        self.names = list(self.file.keys())

    def __getitem__(self, name):
        return self.file.get_tensor(name).astype(np.float64)

    def below(self, prefix):
        return [k for k in self.names if k.startswith(prefix)]


def distance(a, b, floor=0.0):
    return np.linalg.norm(a - b) / max(np.linalg.norm(b), floor, 1e-300)


def gradients(want, found, prefix):
    names = want.below(prefix + "grad/")
    extra = set(found.below(prefix + "grad/")) - set(names)
    if extra:
        sys.exit("gradients that PyTorch has not: %s" % extra)
    total = np.sqrt(sum(np.linalg.norm(want[k]) ** 2 for k in names))
    rows = []
    for k in names:
        a, b = found[k], want[k]
        small = np.linalg.norm(b) < 1e-5 * total
        projection = 1.0 if small else (a * b).sum() / (b * b).sum()
        own = distance(a, b) if np.linalg.norm(b) > 1e-10 * total else np.nan
        rows.append((distance(a, b, 1e-5 * total), abs(projection - 1), own, k))
    return rows


def displacements(bundle, want, found, prefix, steps):
    """Movement since the start; the rounding of the parameter itself, once a step, is free."""
    rows = []
    for k in want.below(prefix + "param/"):
        start, end = bundle[k[len(prefix):]], want[k]
        moved = np.linalg.norm(end - start)
        free = np.linalg.norm(end) * 2.0**-24 * steps
        off = max(0.0, np.linalg.norm(found[k] - end) - free)
        rows.append((off / moved if moved else off, k))
    return rows


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("bundle")
    p.add_argument("want")
    p.add_argument("found")
    p.add_argument("--weights", default="smooth", choices=["smooth", "ordinary"])
    p.add_argument("--check", action="store_true")
    args = p.parse_args()
    bundle, want, found = Bundle(args.bundle), Bundle(args.want), Bundle(args.found)
    steps = len([k for k in want.names if k.endswith("/loss")])
    bad = []
    for s in range(steps):
        prefix = "step%d/" % s
        loss = distance(found[prefix + "loss"], want[prefix + "loss"])
        norm = distance(found[prefix + "grad_norm"], want[prefix + "grad_norm"])
        out = max(distance(found[k], want[k]) for k in want.below(prefix + "out/"))
        g = sorted(gradients(want, found, prefix))
        d = sorted(displacements(bundle, want, found, prefix, s + 1))
        median = (g[len(g) // 2][0], d[len(d) // 2][0])
        projection = max(r[1] for r in g)
        own = np.nanmedian([r[2] for r in g])
        print("step %d: loss %.1e, norm %.1e, output %.1e; gradient worst %.1e median %.1e "
              "own %.1e projection %.1e; displacement worst %.1e median %.1e  (%s)"
              % (s, loss, norm, out, g[-1][0], median[0], own, projection, d[-1][0], median[1],
                 g[-1][3].split("/", 2)[2]))
        if args.weights == "smooth":
            ok = (max(loss, out) < 1e-4 and max(g[-1][0], d[-1][0]) < 1e-3
                  and max(median) < 1e-4)
        else:
            ok = s > 0 or (max(loss, out) < 1e-4 and g[-1][0] < 5e-2 and median[0] < 5e-3
                           and projection < 5e-3)
        if not ok:
            bad.append(s)
    if bad and args.check:
        sys.exit("beyond the limits in steps %s" % bad)


if __name__ == "__main__":
    main()
