/* voxmind estimate: hours, memory and disk of a run, without starting it. */
#include <json-c/json_object.h>
#include <stdio.h>

#include "base/file.h"
#include "cli/cmd.h"
#include "train/estimate.h"
#include "train/target.h"
#include "train/trainer.h"

/* The data need not be preprocessed yet: a run is as large as its settings say. */
static int check_data(const vox_run_args *args, int argc, char **argv)
{
    vox_target t;

    if (argc > 2)
        return vox_fail(VOX_E_USAGE,
                        "\"%s\" is one word too many: estimate <data> [configuration]",
                        argv[2]);
    if (argc == 0 || vox_is_dir(argv[0]))
        return VOX_OK;
    VOX_TRY(vox_target_find(&t, argv[0], argc > 1 ? argv[1] : NULL, args->plans));
    vox_target_release(&t);
    return VOX_OK;
}

static int print(const vox_estimate *e, int json)
{
    vox_buf text = VOX_BUF_INIT;
    int rc = VOX_OK;

    if (json) {
        json_object *o = vox_estimate_json(e);

        printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
        json_object_put(o);
    } else {
        rc = vox_estimate_text(&text, e);
        printf("%s\n", vox_buf_text(&text));
    }
    vox_buf_release(&text);
    return rc;
}

static int estimate(vox_run *r, vox_device *dev, const vox_common *common)
{
    vox_engine_cfg cfg;
    vox_engine engine;
    vox_estimate e;
    vox_pace pace = {0};
    int rc;

    VOX_TRY(vox_trainer_fit(r, dev, vox_estimate_besides(r)));
    cfg = vox_trainer_engine(r);
    VOX_TRY(vox_engine_open(&engine, &cfg, dev));
    vox_estimate_run(&e, r, &engine);
    rc = vox_trainer_pace(&pace, r, &engine);
    vox_estimate_at(&e, &pace);
    if (rc == VOX_OK)
        rc = print(&e, common->json);
    if (rc == VOX_OK && common->verbose)
        vox_plan_print(vox_engine_plan(&engine), stdout);
    vox_engine_close(&engine);
    return rc;
}

static int run(const void *cfg, const vox_common *common, int argc, char **argv)
{
    const vox_run_args *args = cfg;
    vox_device_cfg dev_cfg = {0};
    vox_run r = VOX_RUN_INIT;
    vox_device *dev = NULL;
    int rc = vox_run_resolve(&r, args, common->threads, NULL);

    if (rc == VOX_OK)
        rc = check_data(args, argc, argv);
    if (rc == VOX_OK) {
        dev_cfg = vox_run_device(&r);
        rc = vox_device_open(&dev, &dev_cfg);
    }
    if (rc == VOX_OK)
        rc = estimate(&r, dev, common);
    vox_device_close(dev);
    vox_run_release(&r);
    return rc;
}

const vox_cmd vox_cmd_estimate = {
    .name = "estimate",
    .group = "train",
    .summary = "hours, memory and disk of a run before it starts",
    .usage = "voxmind estimate [<data> [configuration]] [options of pretrain]",
    .cfg_size = sizeof(vox_run_args),
    .opts = vox_run_opts,
    .run = run,
};
