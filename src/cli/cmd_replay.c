/* voxmind replay: compute the training steps of a bundle, for comparison with other
 * programs. */
#include "cli/cmd.h"
#include "train/replay.h"

typedef struct replay_cfg {
    char *device, *path;
    int micro_batch;
    vox_strs set;
} replay_cfg;

static const vox_opt opts[] = {
    VOX_OPT_STR(replay_cfg, device, "cpu", "cpu or fake"),
    VOX_OPT_STR(
        replay_cfg, path, NULL,
        "CPU kernels: reference, plain, avx2 or avx512 (default: VOX_CPU, or the best)"),
    VOX_OPT_INT(replay_cfg, micro_batch, 0, 0, 65536,
                "samples computed at once; 0: the whole batch"),
    VOX_OPT_STRS(replay_cfg, set,
                 "key=value: an option of method, net or cpu, over the bundle's"),
    VOX_OPT_END,
};

static int run(const void *c, const vox_common *common, int argc, char **argv)
{
    const replay_cfg *cfg = c;
    const vox_replay_cfg replay = {
        .device = {.name = cfg->device, .path = cfg->path, .threads = common->threads},
        .set = &cfg->set,
        .micro = cfg->micro_batch,
    };

    if (argc != 2)
        return vox_fail(VOX_E_USAGE, "replay takes two files, IN.safetensors and "
                                     "OUT.safetensors");
    return vox_replay(argv[0], argv[1], &replay);
}

const vox_cmd vox_cmd_replay = {
    .name = "replay",
    .group = "look",
    .summary = "compute recorded training steps, to compare with other programs",
    .usage = "voxmind replay [--micro-batch N] IN.safetensors OUT.safetensors",
    .cfg_size = sizeof(replay_cfg),
    .opts = opts,
    .run = run,
};
