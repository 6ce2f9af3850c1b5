"""Write what the reference networks compute in float64: outputs and gradients of a fixed fill.

outs.npy   [outputs, 6]: mean, root mean square, elements 0, n/3, 2n/3, n-1; in the order of
           meta.json's "outputs"
grads.npy  [parameters, 3] in optimizer order, of loss = mean((y - target)^2): L2 norm, first element, product
           with the fixed vector s(2000000 + parameter); and one more row for the input
loss.npy   [1]

The target is s(1000002, i), so that gradients reach the stem; y^2 alone hardly moves it.
"""

import os
import sys

import numpy as np
import torch
import voxgold as v

CASES = {
    "resenc_xs": dict(net="resenc_xs", shape=[2, 1, 8, 16, 24]),
    "odd": dict(net="odd", shape=[1, 2, 8, 12, 4]),
    "noskip": dict(net="noskip", shape=[2, 2, 8, 4, 12]),
}


def stats(y):
    y = y.detach().numpy().ravel()
    n = y.size
    return [y.mean(), np.sqrt((y**2).mean()), y[0], y[n // 3], y[2 * n // 3], y[n - 1]]


def grad_row(g, t):
    if g is None:
        return [-1.0, 0.0, 0.0]
    g = g.numpy().ravel()
    return [np.sqrt((g**2).sum()), g[0], (g * v.signed(2000000 + t, g.shape)).sum()]


def one(name, net, shape, weights):
    net = v.build(**v.PRESETS[net]).double()
    v.fill(net, weights)
    x = torch.from_numpy(v.patch(shape)).double().requires_grad_()
    named = v.outputs(net, x)
    target = torch.from_numpy(v.signed(1000002, tuple(named["y"].shape)).astype(np.float32))
    loss = ((named["y"] - target) ** 2).mean()
    loss.backward()
    folder = v.out_folder("nets", name + "_" + weights)
    np.save(os.path.join(folder, "outs.npy"), np.array([stats(y) for y in named.values()]))
    rows = [grad_row(p.grad, t) for t, p in enumerate(net.parameters())]
    rows.append(grad_row(x.grad, len(rows)))
    np.save(os.path.join(folder, "grads.npy"), np.array(rows))
    np.save(os.path.join(folder, "loss.npy"), np.array([loss.item()]))
    v.write_meta(folder, "tools/golden/net_values.py", weights=weights, shape=shape,
                 outputs=list(named), dtype="float64", seed="none: fixed fill of voxgold.py",
                 rtol=1e-3 if weights == "smooth" else 1e-2, atol="1e-6 of the total gradient",
                 why="smooth: f32 rounding cannot flip a leaky ReLU; ordinary: it can, and each "
                     "flip moves gradients by a finite amount")


def main():
    for name, case in CASES.items():
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        for weights in ("smooth", "ordinary"):
            one(name, weights=weights, **case)


if __name__ == "__main__":
    main()
