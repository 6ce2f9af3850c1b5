"""Write the state-dict keys of the reference networks: one line per key, in order.

    <parameter index> <shape> <name>

Keys that name the same tensor carry the same index; indices are the optimizer's.
"""

import os

import voxgold as v


# another preset's list (He initial values), and nets that no test asks the keys of
SAME = ("resenc_wb_db", "tiny", "tiny_noskip", "medium")


def lines(net):
    index = {id(p): i for i, p in enumerate(net.parameters())}
    for name, p in net.state_dict(keep_vars=True).items():
        yield "%d %s %s\n" % (index[id(p)], "x".join(map(str, p.shape)), name)


def main():
    folder = v.out_folder("nets", "keys")
    presets = {name: sizes for name, sizes in v.PRESETS.items() if name not in SAME}
    for name, sizes in presets.items():
        with open(os.path.join(folder, name + ".txt"), "w") as f:
            f.writelines(lines(v.build(**sizes)))
    v.write_meta(folder, "tools/golden/net_keys.py",
                 package="dynamic-network-architectures 0.4.4", presets=presets,
                 why="names, order, aliases, shapes and optimizer indices: compared exactly")


if __name__ == "__main__":
    main()
