/* methods: lookup, what is refused, and what mae prepares. */
#include "support/unit.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "train/recipe.h"

static void unknown_methods_get_a_suggestion(void **state)
{
    (void)state;
    assert_null(vox_method_find("mea"));
    assert_non_null(strstr(vox_error_text(), "did you mean \"mae\""));
    assert_string_equal(vox_method_find("mae")->name, "mae");
    assert_string_equal(vox_method_at(0)->name, "mae");
}

typedef struct fixture {
    vox_setup s;
    vox_pretext p;
} fixture;

static void open_mae(fixture *f, const int64_t patch[3], const char *block, vox_phase phase)
{
    f->s = (vox_setup)VOX_SETUP_INIT;
    assert_int_equal(vox_setup_init(&f->s, "mae", "resenc_xs", NULL), VOX_OK);
    assert_int_equal(vox_opts_set(f->s.method->opts, f->s.cfg, "block", block), VOX_OK);
    f->p = vox_setup_pretext(&f->s, phase, patch, 2);
}

static int check(int64_t z, int64_t y, int64_t x, const char *block)
{
    fixture f;
    int rc;

    open_mae(&f, (const int64_t[]){z, y, x}, block, VOX_TRAINING);
    rc = vox_pretext_check(&f.p);
    vox_setup_release(&f.s);
    return rc;
}

static void impossible_patches_are_refused(void **state)
{
    (void)state;
    assert_int_equal(check(64, 32, 96, "16"), VOX_OK);
    assert_int_equal(check(160, 160, 160, "64"), VOX_OK);   /* blocks of 80 */
    assert_int_equal(check(160, 160, 96, "64"), VOX_E_ARG); /* of 80 and 96 */
    assert_non_null(strstr(vox_error_text(), "mae.block"));
    assert_int_equal(check(8, 16, 16, "16"), VOX_E_ARG);  /* smaller than a block */
    assert_int_equal(check(17, 16, 16, "16"), VOX_E_ARG); /* the net's */
    assert_non_null(strstr(vox_error_text(), "resenc_xs"));
}

static void draw(fixture *f, vox_sample *s, float *image, uint64_t number)
{
    vox_cases cases = {.count = 1};

    cases.item[0] = (vox_case){.id = "a", .image = image, .shape = f->p.patch};
    vox_sample_clear(s);
    assert_int_equal(
        f->s.method->prepare(s, &cases, &f->p, vox_rng_at(7, VOX_STREAM("train"), number)),
        VOX_OK);
}

/* A ramp, so that a mirrored image differs. */
static float *ramp(const fixture *f)
{
    const int64_t n = vox_shape_count(f->p.patch);
    float *v = vox_alloc((size_t)n, sizeof *v);

    assert_non_null(v);
    for (int64_t i = 0; i < n; i++)
        v[i] = (float)i;
    return v;
}

static void a_sample_has_its_arrays(void **state)
{
    const int64_t patch[] = {32, 16, 48};
    vox_sample s = VOX_SAMPLE_INIT;
    const vox_array *x, *keep;
    fixture f;
    float *image;

    (void)state;
    open_mae(&f, patch, "8", VOX_VALIDATION);
    image = ramp(&f);
    draw(&f, &s, image, 3);
    assert_int_equal(s.count, 2);
    x = vox_sample_find(&s, "x");
    keep = vox_sample_find(&s, "keep");
    assert_true(vox_shape_equal(x->shape, VOX_SHAPE(1, 32, 16, 48)));
    assert_true(vox_shape_equal(keep->shape, VOX_SHAPE(1, 4, 2, 6)));
    assert_int_equal(keep->dtype, VOX_U8);
    assert_memory_equal(x->data, image, 32 * 16 * 48 * sizeof(float)); /* no mirror here */
    assert_true(f.s.method->weight(&s, &f.p) == 36 * 512);
    vox_sample_release(&s);
    vox_free(image);
    vox_setup_release(&f.s);
}

/* Training mirrors some samples; the same number gives the same sample. */
static void training_mirrors(void **state)
{
    const int64_t patch[] = {16, 16, 16};
    vox_sample s = VOX_SAMPLE_INIT, again = VOX_SAMPLE_INIT;
    int mirrored = 0, masks_differ = 0;
    fixture f;
    float *image;

    (void)state;
    open_mae(&f, patch, "4", VOX_TRAINING);
    image = ramp(&f);
    for (uint64_t k = 0; k < 16; k++) {
        draw(&f, &s, image, k);
        draw(&f, &again, image, k);
        assert_memory_equal(vox_sample_find(&s, "x")->data,
                            vox_sample_find(&again, "x")->data, 4096 * sizeof(float));
        assert_memory_equal(vox_sample_find(&s, "keep")->data,
                            vox_sample_find(&again, "keep")->data, 64);
        mirrored += ((const float *)vox_sample_find(&s, "x")->data)[0] != 0.0f;
        draw(&f, &again, image, k + 1);
        masks_differ += memcmp(vox_sample_find(&s, "keep")->data,
                               vox_sample_find(&again, "keep")->data, 64) != 0;
    }
    assert_in_range(mirrored, 8, 16); /* 7/8 of them: fewer than 8 of 16 has p < 1e-3 */
    assert_int_equal(masks_differ, 16);
    vox_sample_release(&s);
    vox_sample_release(&again);
    vox_free(image);
    vox_setup_release(&f.s);
}

/* methods.md 10.6, by way of the weight: hidden voxels of a 160^3 patch. */
static void the_hidden_share_is_exact(void **state)
{
    static const struct {
        const char *block, *hidden;
        int64_t cells;
        int edge;
    } want[] = {
        {"16", "0.3",  300,  16},
        {"16", "0.45", 450,  16},
        {"16", "0.6",  600,  16},
        {"16", "0.75", 750,  16},
        {"16", "0.9",  900,  16},
        {"8",  "0.75", 6000, 8 },
        {"32", "0.75", 93,   32},
        {"64", "0.75", 6,    80},
    };
    const int64_t patch[] = {160, 160, 160};

    (void)state;
    for (int i = 0; i < VOX_COUNT(want); i++) {
        const double edge = want[i].edge;
        vox_sample s = VOX_SAMPLE_INIT;
        fixture f;
        float *image;

        open_mae(&f, patch, want[i].block, VOX_VALIDATION);
        assert_int_equal(vox_opts_set(f.s.method->opts, f.s.cfg, "hidden", want[i].hidden),
                         VOX_OK);
        image = ramp(&f);
        draw(&f, &s, image, 0);
        assert_true(f.s.method->weight(&s, &f.p) ==
                    (double)want[i].cells * edge * edge * edge);
        vox_sample_release(&s);
        vox_free(image);
        vox_setup_release(&f.s);
    }
}

/* Nothing hidden, nothing to score: said before a loss divides by it. */
static void hiding_nothing_is_refused(void **state)
{
    const int64_t patch[] = {16, 16, 16};
    vox_cases cases = {.count = 1};
    vox_sample s = VOX_SAMPLE_INIT;
    fixture f;
    float *image;

    (void)state;
    open_mae(&f, patch, "8", VOX_TRAINING);
    assert_int_equal(vox_opts_set(f.s.method->opts, f.s.cfg, "hidden", "0.1"), VOX_OK);
    image = ramp(&f);
    cases.item[0] = (vox_case){.id = "a", .image = image, .shape = f.p.patch};
    assert_int_equal(f.s.method->prepare(&s, &cases, &f.p, vox_rng_at(7, 1, 0)), VOX_E_ARG);
    assert_non_null(strstr(vox_error_text(), "mae.hidden"));
    vox_sample_release(&s);
    vox_free(image);
    vox_setup_release(&f.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_methods_get_a_suggestion),
        cmocka_unit_test(impossible_patches_are_refused),
        cmocka_unit_test(a_sample_has_its_arrays),
        cmocka_unit_test(training_mirrors),
        cmocka_unit_test(the_hidden_share_is_exact),
        cmocka_unit_test(hiding_nothing_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
