"""Write what the reference networks compute in float64: outputs and gradients of a fixed fill.

outs.npy   [outputs, 6]: mean, root mean square, elements 0, n/3, 2n/3, n-1; in the order of
           meta.json's "outputs"
grads.npy  [parameters, 3] in optimizer order, of loss = mean((y - target)^2): L2 norm, first element, product
           with the fixed vector s(2000000 + parameter); and one more row for the input
loss.npy   [1]

The target is s(1000002, i), so that gradients reach the stem; y^2 alone hardly moves it.

    net_values.py --published resenc_l_noskip

prints the rows of the published table instead: a preset at 64^3, ordinary weights, gradients of
mean(y^2). tests/golden/slow_published_nets.c holds them.
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


def published(name):
    net = v.build(**v.PRESETS[name]).double()
    v.fill(net)
    x = torch.from_numpy(v.patch((1, 1, 64, 64, 64))).double().requires_grad_()
    named = v.outputs(net, x)
    loss = (named["y"] ** 2).mean()
    loss.backward()
    for key, y in named.items():
        print(key, " ".join("%.8e" % n for n in stats(y)))
    rows = [(k, grad_row(p.grad, 0)) for k, p in net.named_parameters()]
    for key, row in rows:
        print(key, "%.6e %.6e" % tuple(row[:2]))
    total = np.sqrt(sum(row[0] ** 2 for _, row in rows if row[0] > 0))
    print("loss %.8e, gradient %.8e, of x %.6e" % (loss.item(), total, grad_row(x.grad, 0)[0]))


def main():
    if sys.argv[1:2] == ["--published"]:
        published(sys.argv[2])
        return
    for name, case in CASES.items():
        if len(sys.argv) > 1 and name not in sys.argv[1:]:
            continue
        for weights in ("smooth", "ordinary"):
            one(name, weights=weights, **case)


if __name__ == "__main__":
    main()
