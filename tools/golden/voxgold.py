"""What the golden tools share: the networks, the deterministic fill, writing with meta.json.

Nets come from dynamic-network-architectures (PyPI), so a golden value never depends on this
project's own code. The fill is that of the published golden values: 32-bit wrap-around hash.
"""

import json
import os

import numpy as np
import torch
from dynamic_network_architectures.architectures.unet import ResidualEncoderUNet
from dynamic_network_architectures.building_blocks.simple_conv_blocks import StackedConvBlocks

WIDTH = {
    "b": [32, 64, 128, 256, 320, 320],
    "m": [48, 96, 192, 384, 480, 480],
    "l": [64, 128, 256, 512, 640, 640],
}
DEPTH = {"b": [1, 3, 4, 6, 6, 6], "m": [1, 4, 6, 8, 8, 8], "l": [2, 5, 6, 10, 10, 12]}

PRESETS = {
    "resenc_l": dict(features=WIDTH["b"], blocks=DEPTH["b"]),
    "resenc_l_noskip": dict(features=WIDTH["b"], blocks=DEPTH["b"], skips=False),
    "resenc_xs": dict(features=[8, 16, 32, 48], blocks=[1, 1, 2, 2]),
    **{"resenc_w%s_d%s" % (w, d): dict(features=WIDTH[w], blocks=DEPTH[d])
       for w, d in ("bb", "mb", "lb", "bm", "bl", "mm")},
    "resenc_512": dict(features=[32, 64, 128, 256, 512, 512], blocks=DEPTH["b"]),
    # not presets: the smallest there is; equal features, a stage without stride, several decoder units, other sizes
    "tiny": dict(features=[3, 4], blocks=[1, 1]),
    "odd": dict(features=[4, 6, 6, 10], blocks=[2, 1, 2, 1], strides=[1, 2, 1, 2],
                decoder_blocks=[1, 2, 3], kernel=3, in_channels=2, out_channels=3),
    "noskip": dict(features=[4, 6, 6, 10], blocks=[2, 1, 2, 1], strides=[1, 2, 1, 2],
                   decoder_blocks=[1, 2, 1], in_channels=2, out_channels=3, skips=False),
    "tiny_noskip": dict(features=[2, 3, 4], blocks=[1, 1, 1], skips=False),
    # between the demos and resenc_l: for runs of many steps
    "medium": dict(features=[16, 32, 64, 64], blocks=[1, 2, 2, 2]),
}


class NoSkipDecoder(torch.nn.Module):
    """Upsample and convolve, from the coarsest map alone; the last stage has the one head."""

    def __init__(self, encoder, features, strides, units, out_channels):
        super().__init__()
        self.encoder = encoder
        self.seg_layer = torch.nn.Conv3d(features[0], out_channels, 1)
        down = list(range(len(features) - 1, 0, -1))
        self.stages = torch.nn.ModuleList(
            StackedConvBlocks(n, encoder.conv_op, features[s - 1], features[s - 1],
                              encoder.kernel_sizes[s - 1], 1, encoder.conv_bias,
                              encoder.norm_op, encoder.norm_op_kwargs, None, None,
                              encoder.nonlin, encoder.nonlin_kwargs)
            for s, n in zip(down, units))
        self.transpconvs = torch.nn.ModuleList(
            torch.nn.ConvTranspose3d(features[s], features[s - 1], strides[s], strides[s])
            for s in down)

    def forward(self, x):
        maps = []
        for up, stage in zip(self.transpconvs, self.stages):
            x = stage(up(x))
            maps.append(x)
        return maps


class NoSkipUNet(torch.nn.Module):
    """The published NoSkipResEncL for any sizes: the encoder is the package's own."""

    def __init__(self, whole, features, strides, units, out_channels):
        super().__init__()
        self.encoder = whole.encoder
        self.decoder = NoSkipDecoder(whole.encoder, features, strides, units, out_channels)

    def forward(self, x):
        return self.decoder.seg_layer(self.decoder(self.encoder(x)[-1])[-1])


def build(features, blocks, strides=None, decoder_blocks=None, kernel=3, in_channels=1,
          out_channels=1, skips=True):
    """ResidualEncoderUNet as nnssl builds ResEncL, or NoSkipResEncL, for any sizes."""
    n = len(features)
    strides = strides or [1] + [2] * (n - 1)
    units = decoder_blocks or [1] * (n - 1)
    net = ResidualEncoderUNet(
        input_channels=in_channels, n_stages=n, features_per_stage=features,
        conv_op=torch.nn.Conv3d, kernel_sizes=kernel, strides=strides,
        n_blocks_per_stage=blocks, num_classes=out_channels,
        n_conv_per_stage_decoder=units, conv_bias=True,
        norm_op=torch.nn.InstanceNorm3d, norm_op_kwargs={"eps": 1e-5, "affine": True},
        dropout_op=None, nonlin=torch.nn.LeakyReLU, nonlin_kwargs={"inplace": True})
    return net if skips else NoSkipUNet(net, features, strides, units, out_channels)


def outputs(net, x):
    """Encoder stages, then outputs, as the project names them; "y" among them."""
    skips = net.encoder(x)
    named = {"enc_%d" % i: s for i, s in enumerate(skips)}
    if isinstance(net, NoSkipUNet):
        *maps, last = net.decoder(skips[-1])
        named["y"] = net.decoder.seg_layer(last)
        named.update({"dec_%d" % d: m for d, m in enumerate(maps)})
        return named
    net.decoder.deep_supervision = True
    for i, y in enumerate(net.decoder(skips)):
        named["seg_%d" % i if i else "y"] = y
    net.decoder.deep_supervision = False
    return named


def uniform(t, n):
    """u(t, i) in [0, 1) for i = 0..n-1."""
    i = np.arange(1, n + 1, dtype=np.uint64)
    h = (i * 2654435761 + (t + 1) * 2246822519) & 0xFFFFFFFF
    h ^= h >> 16
    h = (h * 0x45D9F3B) & 0xFFFFFFFF
    h ^= h >> 16
    h = (h * 0x45D9F3B) & 0xFFFFFFFF
    h ^= h >> 16
    return h.astype(np.float64) / 2.0**32


def signed(t, shape):
    """s(t, i) = 2 u - 1, row-major, as float64."""
    return (2 * uniform(t, int(np.prod(shape))) - 1).reshape(shape)


def fill(net, weights="ordinary"):
    """Give every parameter its fixed values (rounded to float32).

    ordinary  the recipe of the published golden values
    smooth    norms of scale near 0.1 and bias near +-1, the sign by channel: nothing comes near
              the kink of a leaky ReLU, so that rounding cannot flip a sign
    """
    with torch.no_grad():
        for t, (name, p) in enumerate(net.named_parameters()):
            shape = tuple(p.shape)
            s = signed(t, shape)
            if len(shape) >= 2:
                v = np.sqrt(3.0 / (p.numel() / shape[0])) * s
            elif weights == "smooth" and name.endswith("norm.weight"):
                v = 0.1 * (1 + 0.2 * s)
            elif weights == "smooth" and name.endswith("norm.bias"):
                v = (1 - 2.0 * (np.arange(shape[0]) % 2)) * (1 + 0.05 * s)
            elif name.endswith("weight"):
                v = 1 + 0.2 * s
            else:
                v = 0.2 * s
            p.copy_(torch.from_numpy(v.astype(np.float32)))


def patch(shape):
    """The fixed network input, rounded to float32."""
    return (2 * signed(1000000, shape)).astype(np.float32)


def write_meta(folder, script, **fields):
    meta = dict(script=script, torch=torch.__version__, numpy=np.__version__, **fields)
    with open(os.path.join(folder, "meta.json"), "w") as f:
        json.dump(meta, f, indent=2)
        f.write("\n")


def out_folder(*parts):
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "golden")
    folder = os.path.normpath(os.path.join(root, *parts))
    os.makedirs(folder, exist_ok=True)
    return folder
