/* engine: pieces of a batch give the batch's loss and gradient; threads change no bit; the
 * micro-batch fits the room. */
#include "support/unit.h"

#include <json-c/json_object.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "train/engine.h"

enum { EDGE = 8, BLOCK = 4, BATCH = 5 };

static int setup_tiny(void **state)
{
    static const char text[] =
        "{\"resenc_unet.features\": [4, 8], \"resenc_unet.blocks\": [1, 1],"
        " \"mae.block\": 4}";
    vox_setup *s = vox_zalloc(1, sizeof *s);
    json_object *options = NULL;

    assert_non_null(s);
    assert_int_equal(vox_json_parse(&options, text, sizeof text - 1, "options"), VOX_OK);
    assert_int_equal(vox_setup_init(s, "mae", "resenc_unet", options), VOX_OK);
    json_object_put(options);
    *state = s;
    return 0;
}

static int release_tiny(void **state)
{
    vox_setup_release(*state);
    vox_free(*state);
    return 0;
}

/* Samples that hide different numbers of blocks, so that pieces weigh differently. */
static void fill_batch(vox_batch *b)
{
    vox_sample s = VOX_SAMPLE_INIT;

    assert_int_equal(vox_batch_init(b, BATCH), VOX_OK);
    for (int64_t i = 0; i < BATCH; i++) {
        vox_rng rng = vox_rng_at(7, VOX_STREAM("test"), (uint64_t)i);
        int hidden = 0;
        uint8_t *keep;
        float *x;

        vox_sample_clear(&s);
        x = vox_sample_add(&s, "x", VOX_F32, VOX_SHAPE(1, EDGE, EDGE, EDGE));
        keep = vox_sample_add(&s, "keep", VOX_U8, VOX_SHAPE(1, 2, 2, 2));
        for (int k = 0; k < EDGE * EDGE * EDGE; k++)
            x[k] = (float)vox_rng_normal(&rng);
        for (int k = 0; k < 8; k++) {
            keep[k] = k > i;
            hidden += !keep[k];
        }
        assert_int_equal(vox_batch_put(b, i, &s, (double)hidden), VOX_OK);
    }
    vox_sample_release(&s);
}

typedef struct result {
    double loss, eval;
    float *grad;
    int64_t count;
} result;

/* Loss and all gradients on so many threads with that micro-batch. */
static result compute(const vox_setup *setup, int threads, int64_t micro,
                      const char *device)
{
    const vox_device_cfg dev_cfg = {.name = device, .threads = threads};
    const vox_engine_cfg cfg = {
        setup, {EDGE, EDGE, EDGE},
         BATCH, micro, 0
    };
    result r = {0};
    vox_engine e;
    vox_device *dev;
    vox_batch b;

    assert_int_equal(vox_device_open(&dev, &dev_cfg), VOX_OK);
    assert_int_equal(vox_engine_open(&e, &cfg, dev), VOX_OK);
    assert_int_equal(vox_engine_start(&e, 3), VOX_OK);
    assert_true(vox_engine_flops(&e) > 0);
    fill_batch(&b);
    assert_int_equal(vox_engine_evaluate(&e, &b, &r.eval, NULL), VOX_OK);
    assert_int_equal(vox_engine_gradient(&e, &b, &r.loss), VOX_OK);
    r.count = e.params->count;
    r.grad = vox_zalloc((size_t)r.count, sizeof *r.grad);
    for (int i = 0; i < e.params->n_param; i++) {
        if (e.params->param[i].touched)
            assert_int_equal(vox_params_get(e.params, e.params->grad, i,
                                            r.grad + e.params->param[i].offset),
                             VOX_OK);
    }
    vox_batch_release(&b);
    vox_engine_close(&e);
    vox_device_close(dev);
    return r;
}

static double distance(const result *a, const result *b)
{
    double d = 0, n = 0;

    for (int64_t i = 0; i < a->count; i++) {
        d += pow((double)a->grad[i] - (double)b->grad[i], 2);
        n += pow((double)a->grad[i], 2);
    }
    assert_true(n > 0);
    return sqrt(d / n);
}

static void test_pieces_equal_the_whole(void **state)
{
    result whole = compute(*state, 1, BATCH, "cpu");

    for (int64_t micro = 1; micro < BATCH; micro++) {
        result pieces = compute(*state, 1, micro, "cpu");

        assert_true(fabs(pieces.loss - whole.loss) < 1e-6 * whole.loss);
        assert_true(fabs(pieces.eval - whole.loss) < 1e-6 * whole.loss);
        assert_true(distance(&whole, &pieces) < 1e-5); /* rounding of f32 sums */
        vox_free(pieces.grad);
    }
    vox_free(whole.grad);
}

static void test_threads_change_no_bit(void **state)
{
    result one = compute(*state, 1, 2, "cpu"), two = compute(*state, 2, 2, "cpu");

    assert_memory_equal(&one.loss, &two.loss, sizeof one.loss);
    assert_memory_equal(one.grad, two.grad, (size_t)one.count * sizeof(float));
    vox_free(one.grad);
    vox_free(two.grad);
}

static void test_no_host_pointers(void **state)
{
    result host = compute(*state, 1, 2, "cpu"), far = compute(*state, 1, 2, "fake");

    assert_memory_equal(&host.loss, &far.loss, sizeof host.loss);
    assert_memory_equal(host.grad, far.grad, (size_t)host.count * sizeof(float));
    vox_free(host.grad);
    vox_free(far.grad);
}

static void test_fits_the_room(void **state)
{
    const vox_device_cfg dev_cfg = {.name = "cpu", .threads = 1};
    vox_engine_cfg cfg = {
        *state, {EDGE, EDGE, EDGE},
         BATCH, 1, 0
    };
    int64_t micro = 0, need[BATCH + 1];
    vox_device *dev;

    assert_int_equal(vox_device_open(&dev, &dev_cfg), VOX_OK);
    for (int64_t m = 1; m <= BATCH; m++) {
        vox_engine e;

        cfg.micro = m;
        assert_int_equal(vox_engine_open(&e, &cfg, dev), VOX_OK);
        need[m] = (int64_t)vox_engine_bytes(&e) + e.params->count * 12;
        assert_true(m == 1 || need[m] > need[m - 1]);
        vox_engine_close(&e);
    }
    for (int64_t m = 1; m <= BATCH; m++) {
        assert_int_equal(vox_engine_fit(&micro, &cfg, dev, need[m], 1), VOX_OK);
        assert_int_equal(micro, m);
    }
    assert_int_equal(vox_engine_fit(&micro, &cfg, dev, need[1] - 1, 1), VOX_E_NOMEM);
    assert_non_null(strstr(vox_error_text(), "--patch"));
    assert_non_null(strstr(vox_error_text(), "--recompute"));
    vox_device_close(dev);
}

static void test_refuses_samples_that_do_not_fit(void **state)
{
    const vox_device_cfg dev_cfg = {.name = "cpu", .threads = 1};
    const vox_engine_cfg cfg = {
        *state, {EDGE, EDGE, EDGE},
         BATCH, BATCH, 0
    };
    vox_engine e;
    vox_device *dev;
    vox_batch b;
    double loss;

    assert_int_equal(vox_device_open(&dev, &dev_cfg), VOX_OK);
    assert_int_equal(vox_engine_open(&e, &cfg, dev), VOX_OK);
    assert_int_equal(vox_engine_start(&e, 3), VOX_OK);
    fill_batch(&b);
    strcpy(b.stack.array[1].name, "mask");
    assert_int_equal(vox_engine_gradient(&e, &b, &loss), VOX_E_MISSING);
    assert_non_null(strstr(vox_error_text(), "\"keep\""));
    strcpy(b.stack.array[1].name, "keep");
    b.stack.array[1].shape = VOX_SHAPE(BATCH, 1, 2, 4, 1);
    assert_int_equal(vox_engine_gradient(&e, &b, &loss), VOX_E_ARG);
    assert_non_null(strstr(vox_error_text(), "5x1x2x4x1"));
    vox_batch_release(&b);
    vox_engine_close(&e);
    vox_device_close(dev);
}

static void test_impossible_patch(void **state)
{
    const vox_device_cfg dev_cfg = {.name = "cpu", .threads = 1};
    const vox_engine_cfg cfg = {
        *state, {EDGE, EDGE, EDGE + 1},
         BATCH, BATCH, 0
    };
    vox_device *dev;
    vox_engine e;

    assert_int_equal(vox_device_open(&dev, &dev_cfg), VOX_OK);
    assert_int_equal(vox_engine_open(&e, &cfg, dev), VOX_E_ARG);
    vox_device_close(dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_equal_the_whole),
        cmocka_unit_test(test_threads_change_no_bit),
        cmocka_unit_test(test_no_host_pointers),
        cmocka_unit_test(test_fits_the_room),
        cmocka_unit_test(test_refuses_samples_that_do_not_fit),
        cmocka_unit_test(test_impossible_patch),
    };

    return cmocka_run_group_tests(tests, setup_tiny, release_tiny);
}
