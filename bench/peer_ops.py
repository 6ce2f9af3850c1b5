"""Op problems (src/graph/problem.h) as PyTorch computes them: a call per pass."""

import math


def parse(text):
    """Shape of operand 0, attributes, operands that are there, shapes given for others."""
    shape, *words = text.split(" ")
    named = dict(word.split("=") for word in words)
    present = [int(i) for i in named.pop("in", "").split(",") if i]
    given = {
        int(k[2:]): sizes(v) for k, v in named.items() if k.startswith("in") and k[2:].isdigit()
    }
    attr = {k: v for k, v in named.items() if not k.startswith("in")}
    return sizes(shape), attr, present, given


def sizes(text):
    return [int(n) for n in text.split("x")]


def triple(attr, name, default):
    values = [int(v) for v in attr.get(name, str(default)).split(",")]
    return values * 3 if len(values) == 1 else values


def calls(torch, op, text, memory_format):
    """{pass: function of no arguments}, or {} where there is no translation.

    Every call does what a training step of PyTorch does at that place, no more: gradients of
    convolutions are asked for one by one, those of other ops come from autograd.
    """
    make = {
        "conv3d": conv3d,
        "conv_transpose3d": conv_transpose3d,
        "norm_act": norm_act,
        "avg_pool3d": avg_pool3d,
        "leaky_relu": leaky_relu,
        "add": add,
        "mask_blocks": mask_blocks,
        "masked_mse": masked_mse,
    }.get(op)
    return make(torch, Tensors(torch, memory_format), *parse(text)) if make else {}


class Tensors:
    """Random tensors, images in the wanted memory format."""

    def __init__(self, torch, memory_format):
        self.torch = torch
        self.format = memory_format

    def image(self, *shape):
        x = self.torch.randn(*shape)
        return x.to(memory_format=self.format) if x.dim() == 5 else x

    def mask(self, x, blocks):
        """One value per block, repeated over it: as the peer's trainer has its mask."""
        keep = (self.torch.rand(blocks) < 0.6).float()
        for axis in range(2, 5):
            keep = keep.repeat_interleave(x.shape[axis] // blocks[axis], axis)
        return keep


def by_autograd(torch, forward, inputs, dy=None):
    """Forward under no_grad apart; backward of a graph that is kept."""

    def run():
        with torch.no_grad():
            return forward()

    for x in inputs:
        x.requires_grad_()
    with torch.enable_grad():
        y = forward()
    dy = torch.ones_like(y) if dy is None else dy(y)
    return {
        "forward": run,
        "backward": lambda: torch.autograd.grad(y, inputs, dy, retain_graph=True),
    }


def convolution(torch, x, w, b, dy, stride, pad, transposed):
    """The three passes of any convolution."""
    backward = torch.ops.aten.convolution_backward
    bias = [w.shape[1] if transposed else w.shape[0]] if b is not None else None

    def gradients(*wanted):
        return backward(dy, x, w, bias, stride, pad, [1] * 3, transposed, [0] * 3, 1, wanted)

    return {
        "data": lambda: gradients(True, False, False),
        "weight": lambda: gradients(False, True, b is not None),
    }


def conv3d(torch, make, shape, attr, present, given):
    stride, pad = triple(attr, "stride", 1), triple(attr, "pad", 1)
    kernel, out = triple(attr, "kernel", 3), int(attr.get("out", 8))
    if 4 in present or 4 in given:
        return {}
    x = [make.image(*shape)]
    if 3 in present or 3 in given:
        x.append(make.image(*given.get(3, shape)))
    both = torch.cat(x, 1)
    w = make.image(out, both.shape[1], *kernel)
    b = torch.randn(out) if 2 in present or 2 in given else None
    conv = torch.nn.functional.conv3d
    dy = make.image(*conv(both, w, b, stride, pad).shape)

    def forward():
        with torch.no_grad():
            return conv(x[0] if len(x) == 1 else torch.cat(x, 1), w, b, stride, pad)

    return {"forward": forward, **convolution(torch, both, w, b, dy, stride, pad, False)}


def conv_transpose3d(torch, make, shape, attr, present, given):
    stride, out = triple(attr, "stride", 2), int(attr.get("out", 8))
    x, w = make.image(*shape), make.image(shape[1], out, *stride)
    b = torch.randn(out) if 2 in present else None
    conv = torch.nn.functional.conv_transpose3d
    dy = make.image(*conv(x, w, b, stride).shape)

    def forward():
        with torch.no_grad():
            return conv(x, w, b, stride)

    return {"forward": forward, **convolution(torch, x, w, b, dy, stride, [0] * 3, True)}


def norm_act(torch, make, shape, attr, present, given):
    if 4 in present or 4 in given:
        return {}
    x, dy = make.image(*shape), make.image(*shape)
    gamma, beta = (torch.randn(shape[1]) if i in present else None for i in (1, 2))
    residual = make.image(*shape) if 3 in present else None
    slope, eps = float(attr.get("slope", 0.01)), float(attr.get("eps", 1e-5))

    def forward():
        y = torch.nn.functional.instance_norm(x, None, None, gamma, beta, True, 0.1, eps)
        if residual is not None:
            y = y + residual
        return y if slope == 1 else torch.nn.functional.leaky_relu_(y, slope)

    inputs = [t for t in (x, gamma, beta, residual) if t is not None]
    return by_autograd(torch, forward, inputs, lambda y: dy)


def avg_pool3d(torch, make, shape, attr, present, given):
    if 1 in present or 1 in given:
        return {}
    x, kernel = make.image(*shape), triple(attr, "kernel", 2)
    pool = torch.nn.functional.avg_pool3d
    return by_autograd(torch, lambda: pool(x, kernel), [x])


def leaky_relu(torch, make, shape, attr, present, given):
    x, slope = make.image(*shape), float(attr.get("slope", 0.01))
    return by_autograd(torch, lambda: torch.nn.functional.leaky_relu(x, slope), [x])


def add(torch, make, shape, attr, present, given):
    a, b = make.image(*shape), make.image(*shape)
    return by_autograd(torch, lambda: a + b, [a, b])


def blocks_of(shape, given):
    """The mask's extents: given, or the op's own choice, blocks of about a quarter."""
    return given or [shape[0], 1] + [math.gcd(n, 4) if n % 4 == 0 else 1 for n in shape[2:]]


def mask_blocks(torch, make, shape, attr, present, given):
    x = make.image(*shape)
    keep = make.mask(x, blocks_of(shape, given.get(1)))
    return by_autograd(torch, lambda: x * keep, [x])


def masked_mse(torch, make, shape, attr, present, given):
    y, x = make.image(*shape), make.image(*shape)
    hidden = 1
    if 2 in present or 2 in given:
        hidden = 1 - make.mask(x, blocks_of(shape, given.get(2)))

    def forward():
        return ((y - x) ** 2 * hidden).sum() / (hidden.sum() if present else y.numel())

    return by_autograd(torch, forward, [y])
