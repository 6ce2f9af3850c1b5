/* presets: every net there is has plans for training and validation at legal patches of any
 * proportion, on every kernel path and device, before a byte of a tensor is allocated. */
#include "support/unit.h"

#include "base/error.h"
#include "train/engine.h"

static const int64_t patches[][3] = {
    {64, 32,  96},
    {32, 64,  64},
    {32, 32,  64},
    {96, 160, 32},
};

static void plan_at(const vox_setup *setup, vox_device *dev, const int64_t patch[3])
{
    vox_engine_cfg cfg = {.setup = setup, .batch = 3, .micro = 2};
    vox_engine e;

    for (int k = 0; k < 3; k++)
        cfg.patch[k] = patch[k];
    if (vox_engine_open(&e, &cfg, dev) != VOX_OK)
        fail_msg("%s: %s", setup->model.preset, vox_error_text());
    assert_true(vox_engine_bytes(&e) > 0);
    assert_true(vox_engine_flops(&e) > 0);
    vox_engine_close(&e);
}

static void plan_everything(vox_device *dev)
{
    for (int i = 0; vox_preset_at(i); i++) {
        vox_setup setup = VOX_SETUP_INIT;

        assert_int_equal(vox_setup_init(&setup, "mae", vox_preset_at(i)->name, NULL),
                         VOX_OK);
        for (int k = 0; k < VOX_COUNT(patches); k++)
            plan_at(&setup, dev, patches[k]);
        vox_setup_release(&setup);
    }
}

static void every_preset_has_plans(void **state)
{
    static const vox_device_cfg devices[] = {
        {.name = "cpu",  .path = "reference", .threads = 2},
        {.name = "cpu",  .path = "plain",     .threads = 2},
        {.name = "cpu",  .path = "avx2",      .threads = 2},
        {.name = "cpu",  .path = "avx512",    .threads = 2},
        {.name = "fake", .path = "plain",     .threads = 2},
    };

    (void)state;
    for (int i = 0; i < VOX_COUNT(devices); i++) {
        const vox_cpu_path *path;
        vox_device *dev;

        if (vox_cpu_path_find(&path, devices[i].path) != VOX_OK)
            continue; /* not on this CPU */
        assert_int_equal(vox_device_open(&dev, &devices[i]), VOX_OK);
        plan_everything(dev);
        vox_device_close(dev);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_preset_has_plans)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
