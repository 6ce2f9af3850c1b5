"""Write what PyTorch computes for single ops in float64: outputs and all gradients.

One file per case, <case>.safetensors: in0, in1, ... (float32, uint8, int64), dout (float32),
out, din0, din1, ... (float64, rounded once to float32); its metadata say which op and problem.
Each is the gradient of sum(out * dout).
"""

import os

import numpy as np
import torch
import torch.nn.functional as F
import voxgold as v
from safetensors.numpy import save_file

FAR = 50.0


def leaf(rng, *shape, mean=0.0):
    return (mean + rng.standard_normal(shape)).astype(np.float32)


def mask(rng, *shape):
    m = (rng.random(shape) < 0.6).astype(np.uint8)
    m.flat[0] = 1
    return m


def spread(m, like):
    """A mask of blocks at the voxels of an image."""
    for axis in (2, 3, 4):
        m = m.repeat_interleave(like.shape[axis] // m.shape[axis], axis)
    return m.to(like.dtype)


def conv(stride=1, pad=1):
    def run(x, w, b=None, x2=None, active=None):
        y = F.conv3d(x if x2 is None else torch.cat([x, x2], 1), w, b, stride, pad)
        return y if active is None else y * spread(active, y)
    return run


def transpose(stride=2):
    return lambda x, w, b=None: F.conv_transpose3d(x, w, b, stride)


def norm(slope=0.01, eps=1e-5):
    def run(x, gamma=None, beta=None, residual=None, active=None):
        if active is None:
            y = F.instance_norm(x, weight=gamma, bias=beta, eps=eps)
        else:
            m = spread(active, x)
            n = m.sum((2, 3, 4), keepdim=True)
            mean = (x * m).sum((2, 3, 4), keepdim=True) / n
            var = ((x - mean) ** 2 * m).sum((2, 3, 4), keepdim=True) / n
            y = (x - mean) / torch.sqrt(var + eps)
            if gamma is not None:
                y = y * gamma.view(1, -1, 1, 1, 1) + beta.view(1, -1, 1, 1, 1)
        if residual is not None:
            y = y + residual
        if slope != 1:
            y = F.leaky_relu(y, slope)
        return y if active is None else y * m
    return run


def pool(kernel):
    def run(x, active):
        y = F.avg_pool3d(x, kernel)
        return y * spread(active, y)
    return run


def masked_mse(y, x, keep=None):
    if keep is None:
        return ((y - x) ** 2).mean().reshape(1)
    hidden = 1 - spread(keep, y)
    return (((y - x) ** 2 * hidden).sum() / (hidden.sum() * y.shape[1])).reshape(1)


def gather(x, index):
    return torch.gather(x, 1, index[:, :, None].expand(-1, -1, x.shape[2]))


def linear(x, w, b=None, scale=None, residual=None):
    y = F.linear(x, w, b)
    y = y if scale is None else y * scale
    return y if residual is None else y + residual


def cases(r):
    def n(*shape):
        return leaf(r, *shape)
    x = n(2, 5, 5, 6, 7)
    yield "conv_k3", "conv3d 2x5x5x6x7 out=6", conv(), [x, n(6, 5, 3, 3, 3), n(6)]
    yield ("conv_s2_odd", "conv3d 2x5x5x6x7 out=9 stride=2", conv(2), [x, n(9, 5, 3, 3, 3), n(9)])
    yield ("conv_s2_blocks", "conv3d 1x16x6x4x8 out=17 stride=2", conv(2),
           [n(1, 16, 6, 4, 8), n(17, 16, 3, 3, 3), n(17)])
    yield ("conv_k1", "conv3d 1x17x4x3x5 out=9 kernel=1 pad=0", conv(1, 0),
           [n(1, 17, 4, 3, 5), n(9, 17, 1, 1, 1)])
    yield ("conv_patches", "conv3d 1x2x8x4x8 out=10 kernel=4 stride=4 pad=0", conv(4, 0),
           [n(1, 2, 8, 4, 8), n(10, 2, 4, 4, 4), n(10)])
    yield ("conv_uneven", "conv3d 1x3x5x7x6 out=4 kernel=3,1,2 stride=1,2,3 pad=1,0,1",
           conv((1, 2, 3), (1, 0, 1)), [n(1, 3, 5, 7, 6), n(4, 3, 3, 1, 2), n(4)])
    yield ("conv_far", "conv3d 1x9x5x4x6 out=8", conv(),
           [leaf(r, 1, 9, 5, 4, 6, mean=FAR), n(8, 9, 3, 3, 3), n(8)])
    yield ("conv_two_sources", "conv3d 2x8x3x4x5 out=10", conv(),
           [n(2, 8, 3, 4, 5), n(10, 13, 3, 3, 3), None, n(2, 5, 3, 4, 5)])
    yield ("conv_active", "conv3d 2x8x4x6x4 out=9", conv(),
           [n(2, 8, 4, 6, 4), n(9, 8, 3, 3, 3), n(9), None, mask(r, 2, 1, 2, 3, 2)])
    yield ("transpose_k2", "conv_transpose3d 2x9x3x2x4 out=10", transpose(),
           [n(2, 9, 3, 2, 4), n(9, 10, 2, 2, 2), n(10)])
    yield ("transpose_uneven", "conv_transpose3d 1x4x3x4x2 out=3 stride=2,1,3",
           transpose((2, 1, 3)), [n(1, 4, 3, 4, 2), n(4, 3, 2, 1, 3)])
    x = n(2, 9, 4, 5, 6)
    yield "norm_affine", "norm_act 2x9x4x5x6", norm(), [x, n(9), n(9)]
    yield "norm_plain", "norm_act 2x9x4x5x6 slope=1", norm(1), [x]
    yield ("norm_residual", "norm_act 2x9x4x5x6 slope=0.2", norm(0.2),
           [x, n(9), n(9), n(2, 9, 4, 5, 6)])
    yield ("norm_relu", "norm_act 2x9x4x5x6 slope=0", norm(0),
           [x, n(9), n(9), n(2, 9, 4, 5, 6)])
    yield ("norm_far", "norm_act 2x9x4x5x6", norm(),
           [leaf(r, 2, 9, 4, 5, 6, mean=FAR), n(9), n(9)])
    yield ("norm_active", "norm_act 2x8x4x6x4", norm(),
           [n(2, 8, 4, 6, 4), n(8), n(8), n(2, 8, 4, 6, 4), mask(r, 2, 1, 2, 3, 2)])
    yield ("pool", "avg_pool3d 2x9x5x6x7 kernel=2,3,2", lambda x: F.avg_pool3d(x, (2, 3, 2)),
           [n(2, 9, 5, 6, 7)])
    yield "leaky_relu", "leaky_relu 3x4x5 slope=0.2", lambda x: F.leaky_relu(x, 0.2), [n(3, 4, 5)]
    yield "add", "add 3x4x5", torch.add, [n(3, 4, 5), n(3, 4, 5)]
    yield ("mask_blocks", "mask_blocks 2x3x4x6x4", lambda x, keep: x * spread(keep, x),
           [n(2, 3, 4, 6, 4), mask(r, 2, 1, 2, 3, 2)])
    yield ("masked_mse", "masked_mse 2x3x4x6x4", masked_mse,
           [n(2, 3, 4, 6, 4), n(2, 3, 4, 6, 4), mask(r, 2, 1, 2, 3, 2)])
    yield "mse", "masked_mse 3x4x5", masked_mse, [n(3, 4, 5), n(3, 4, 5)]
    yield ("gather", "gather 2x7x5", gather,
           [n(2, 7, 5), r.integers(0, 7, (2, 9), dtype=np.int64)])
    yield ("pool_active", "avg_pool3d 2x9x5x9x4 kernel=2,3,1", pool((2, 3, 1)),
           [n(2, 9, 5, 9, 4), mask(r, 2, 1, 2, 3, 2)])
    yield "linear", "linear 2x13x17 out=33", linear, [n(2, 13, 17), n(33, 17), n(33)]
    yield ("linear_branch", "linear 2x7x24 out=9", linear,
           [n(2, 7, 24), n(9, 24), n(9), n(9), n(2, 7, 9)])


def tensor(a):
    if a is None:
        return None
    t = torch.from_numpy(a)
    return t.double().requires_grad_() if a.dtype == np.float32 else t


def problem(text, ins):
    """Operands behind the first one, with their shapes."""
    shapes = " ".join("in%d=%s" % (i, "x".join(map(str, a.shape)))
                      for i, a in enumerate(ins) if i and a is not None)
    return (text + " " + shapes).strip()


def write(folder, rng, name, text, run, ins):
    ts = [tensor(a) for a in ins]
    out = run(*ts)
    dout = leaf(rng, *out.shape)
    (out * torch.from_numpy(dout).double()).sum().backward()
    arrays = {"in%d" % i: a for i, a in enumerate(ins) if a is not None}
    arrays.update(dout=dout, out=out.detach().numpy().astype(np.float32))
    for i, t in enumerate(ts):
        if t is not None and t.grad is not None:
            arrays["din%d" % i] = t.grad.numpy().astype(np.float32)
    op, _, rest = text.partition(" ")
    save_file({k: np.ascontiguousarray(a) for k, a in arrays.items()},
              os.path.join(folder, name + ".safetensors"),
              {"op": op, "problem": problem(rest, ins)})


def main():
    folder = v.out_folder("ops")
    rng = np.random.default_rng(2024)
    for case in cases(rng):
        write(folder, rng, *case)
    v.write_meta(folder, "tools/golden/ops.py", seed=2024,
                 tolerance="per element: 4 + 2 sqrt(terms) roundings of f32 of the sum with all "
                           "terms positive (tests/support/op_case.h)",
                 why="float64 operators and autograd of another implementation")


if __name__ == "__main__":
    main()
