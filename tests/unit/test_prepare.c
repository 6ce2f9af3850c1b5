/* prepare: the end-to-end vectors of data.md 7.11, masks, refusals. */
#include "support/unit.h"

#include "base/cpu.h"
#include "base/error.h"
#include "base/mem.h"
#include "image/prepare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { D = 8, H = 9, W = 10, N = D * H * W };

typedef struct subject {
    vox_volume image, mask;
    float voxels[N], labels[N];
} subject;

static int is_zero(int z, int y, int x)
{
    return z == 0 || y == 8 || x < 2 || (z == 3 && y == 3 && x == 4) ||
           (z == 7 && y == 0 && x == 9) || (z == 1 && y == 7 && x == 2);
}

/* The raw volume of 7.11. */
static void make_subject(subject *s, const double spacing[3])
{
    int i = 0;

    memset(s, 0, sizeof *s);
    s->image.info.shape = s->mask.info.shape = VOX_SHAPE(1, D, H, W);
    memcpy(s->image.info.spacing, spacing, sizeof s->image.info.spacing);
    memcpy(s->mask.info.spacing, spacing, sizeof s->mask.info.spacing);
    s->image.data = s->voxels;
    s->mask.data = s->labels;
    for (int z = 0; z < D; z++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++, i++) {
                s->voxels[i] =
                    is_zero(z, y, x) ? 0.0f : (float)((7 * z + 3 * y + 5 * x) % 11 + 1);
                s->labels[i] = (z + y) % 4 == 0 ? 1.0f : 0.0f;
            }
}

typedef struct vector {
    double spacing[3];
    vox_prepare_cfg cfg;
    int64_t shape[3];
    double first, at123, middle, last, corner, lo, hi, sum, squares;
    int outside, zeros, ones, thick;
} vector;

static const vector vectors[] = {
    {{1.5, 0.8, 1.2},
     {{0, 1, 2}, {1, 1, 1}, VOX_NORM_ZSCORE, 0, 0},
     {10, 6, 10},
     0.823922, 0.724866,
     -0.897589,
     -0.268511,
     -1.865893,
     -1.865893,
     1.575394, -0.56525,
     309.51860,  1,
     439,  160,
     -1},
    {{4.0, 0.8, 1.2},
     {{0, 1, 2}, {1, 1, 1}, VOX_NORM_ZSCORE, 0, 0},
     {28, 6, 10},
     0.665014, -0.493962,
     -0.078061,
     -0.127272,
     -1.865893,
     -1.865893,
     1.575394, 0.17108,
     1015.21746, 4,
     1116, 560,
     0 },
    {{1.2, 0.8, 1.5},
     {{2, 0, 1}, {1, 1, 1}, VOX_NORM_ZSCORE, 0, 0},
     {12, 8, 6},
     0.805440, 0.591667,
     -0.965772,
     -0.161984,
     -0.422262,
     -1.865893,
     1.575394, -0.61924,
     294.58590,  1,
     431,  144,
     -1},
};

static double at(const vox_prepared_case *p, int64_t z, int64_t y, int64_t x)
{
    const int64_t *n = p->image.info.shape.n + 1;

    return (double)p->image.data[(z * n[1] + y) * n[2] + x];
}

#define assert_close(a, b) assert_true(fabs((a) - (b)) < 2e-6)

static int prepare(vox_prepared_case *p, const vox_volume *image, const vox_volume *anon,
                   const vox_volume *anat, const vox_prepare_cfg *cfg, const char *name)
{
    const vox_stored stored = vox_stored_of(image);

    return vox_prepare_case(p, &stored, anon, anat, cfg, name);
}

static void check_values(const vox_prepared_case *p, const vector *v)
{
    const int64_t *n = v->shape;
    double lo = 1e9, hi = -1e9, sum = 0.0, squares = 0.0;

    assert_true(vox_shape_equal(p->image.info.shape, VOX_SHAPE(1, n[0], n[1], n[2])));
    assert_close(at(p, 0, 0, 0), v->first);
    assert_close(at(p, 1, 2, 3), v->at123);
    assert_close(at(p, n[0] / 2, n[1] / 2, n[2] / 2), v->middle);
    assert_close(at(p, n[0] - 1, n[1] - 1, n[2] - 1), v->last);
    assert_close(at(p, 0, n[1] - 1, 0), v->corner);
    for (int64_t i = 0; i < n[0] * n[1] * n[2]; i++) {
        const double x = (double)p->image.data[i];

        lo = fmin(lo, x);
        hi = fmax(hi, x);
        sum += x;
        squares += x * x;
    }
    assert_close(lo, v->lo);
    assert_close(hi, v->hi);
    assert_true(fabs(sum - v->sum) < 1e-4);
    assert_true(fabs(squares - v->squares) < 1e-3);
}

static void check_mask(const vox_prepared_case *p, int which, const vector *v)
{
    int count[3] = {0};

    for (int64_t i = 0; i < v->shape[0] * v->shape[1] * v->shape[2]; i++) {
        const float label = p->mask[which][i];

        assert_true(label == -1.0f || label == 0.0f || label == 1.0f);
        count[(int)label + 1]++;
    }
    assert_int_equal(count[0], v->outside);
    assert_int_equal(count[1], v->zeros);
    assert_int_equal(count[2], v->ones);
}

static void the_vectors_on_every_path(void **state)
{
    static const char *const paths[] = {"reference", "plain", "avx2", "avx512"};
    static const vox_isa needs[] = {VOX_ISA_BASE, VOX_ISA_BASE, VOX_ISA_AVX2,
                                    VOX_ISA_AVX512};

    (void)state;
    for (int i = 0; i < VOX_COUNT(vectors) * VOX_COUNT(paths); i++) {
        const vector *v = &vectors[i / VOX_COUNT(paths)];
        const int path = i % VOX_COUNT(paths);
        static subject s;
        vox_prepared_case p = VOX_PREPARED_CASE_INIT;

        if (!vox_cpu_has(needs[path]))
            continue;
        setenv("VOX_CPU", paths[path], 1);
        make_subject(&s, v->spacing);
        assert_int_equal(prepare(&p, &s.image, &s.mask, NULL, &v->cfg, "img"), VOX_OK);
        check_values(&p, v);
        check_mask(&p, VOX_MASK_ANON, v);
        assert_null(p.mask[VOX_MASK_ANAT]);
        assert_int_equal(p.thick_axis, v->thick);
        assert_close(p.mean * 1e-3, 5.964285714e-3);
        assert_true(fabs(p.mean - 5.964285714) < 1e-9 && fabs(p.std - 3.196478451) < 1e-9);
        vox_prepared_case_release(&p);
    }
    unsetenv("VOX_CPU");
}

static void properties_are_transposed(void **state)
{
    static const int64_t box[3][2] = {
        {2, 10},
        {1, 8 },
        {0, 8 }
    };
    static subject s;
    const vector *v = &vectors[2];
    vox_prepared_case p = VOX_PREPARED_CASE_INIT;

    (void)state;
    make_subject(&s, v->spacing);
    assert_int_equal(prepare(&p, &s.image, NULL, NULL, &v->cfg, "img"), VOX_OK);
    assert_true(p.shape_before_cropping[0] == 10 && p.shape_before_cropping[1] == 8 &&
                p.shape_before_cropping[2] == 9);
    assert_memory_equal(p.bbox, box, sizeof box);
    assert_true(p.shape_after_cropping[0] == 8 && p.shape_after_cropping[1] == 7 &&
                p.shape_after_cropping[2] == 8);
    assert_memory_equal(p.spacing_read, v->spacing, sizeof v->spacing);
    for (int i = 0; i < 3; i++)
        assert_true(p.image.info.spacing[i] == 1.0);
    vox_prepared_case_release(&p);
}

/* After cropping: one -1 (the hole is filled, a mask of 1 stays), 335 zeros, 112 ones. */
static void noresample_keeps_the_grid(void **state)
{
    static subject s;
    const double spacing[3] = {1.5, 0.8, 1.2};
    const vox_prepare_cfg cfg = {
        {0, 1, 2},
        {0, 0, 0},
        VOX_NORM_ZSCORE, 0, 0
    };
    vector v = {
        .shape = {7, 8, 8},
          .outside = 1, .zeros = 335, .ones = 112
    };
    vox_prepared_case p = VOX_PREPARED_CASE_INIT;

    (void)state;
    make_subject(&s, spacing);
    assert_int_equal(prepare(&p, &s.image, NULL, &s.mask, &cfg, "img"), VOX_OK);
    assert_true(vox_shape_equal(p.image.info.shape, VOX_SHAPE(1, 7, 8, 8)));
    assert_close(at(&p, 0, 0, 0), 0.324017);
    check_mask(&p, VOX_MASK_ANAT, &v);
    assert_true(p.mask[VOX_MASK_ANAT][(6 * 8 + 0) * 8 + 7] == -1.0f);
    assert_true(p.mask[VOX_MASK_ANAT][(2 * 8 + 3) * 8 + 2] == 0.0f); /* the hole */
    assert_true(p.image.info.spacing[0] == 1.5);
    vox_prepared_case_release(&p);
}

/* Two masks keep their names; each takes its own labels. */
static void masks_are_not_exchanged(void **state)
{
    static subject s, t;
    const vector *v = &vectors[0];
    vox_prepared_case p = VOX_PREPARED_CASE_INIT;
    float most[2] = {0, 0};

    (void)state;
    make_subject(&s, v->spacing);
    make_subject(&t, v->spacing);
    for (int i = 0; i < N; i++)
        t.labels[i] *= 5.0f;
    assert_int_equal(prepare(&p, &s.image, &s.mask, &t.mask, &v->cfg, "img"), VOX_OK);
    for (int i = 0; i < 600; i++) {
        most[0] = fmaxf(most[0], p.mask[VOX_MASK_ANON][i]);
        most[1] = fmaxf(most[1], p.mask[VOX_MASK_ANAT][i]);
    }
    assert_true(most[0] == 1.0f && most[1] == 5.0f);
    vox_prepared_case_release(&p);
}

static void normalising_inside_the_body(void **state)
{
    static subject s;
    const double spacing[3] = {1, 1, 1};
    const vox_prepare_cfg cfg = {
        {0, 1, 2},
        {0, 0, 0},
        VOX_NORM_ZSCORE, 1, 0
    };
    vox_prepared_case p = VOX_PREPARED_CASE_INIT;

    (void)state;
    make_subject(&s, spacing);
    assert_int_equal(prepare(&p, &s.image, NULL, NULL, &cfg, "img"), VOX_OK);
    assert_true(at(&p, 6, 0, 7) == 0.0); /* outside: untouched */
    assert_true(at(&p, 0, 7, 0) == 0.0);
    assert_true(at(&p, 2, 3, 2) != 0.0); /* the hole is inside */
    assert_true(fabs(p.mean - 5.964285714 * 448 / 446) < 1e-6);
    vox_prepared_case_release(&p);
}

static void refused(const vox_volume *image, const vox_volume *mask,
                    const vox_prepare_cfg *cfg, int code, const char *says)
{
    vox_prepared_case p = VOX_PREPARED_CASE_INIT;
    const int64_t blocks = vox_mem_blocks();

    assert_int_equal(prepare(&p, image, mask, NULL, cfg, "scan.nii"), code);
    assert_non_null(strstr(vox_error_text(), says));
    assert_non_null(strstr(vox_error_text(), "scan.nii"));
    assert_null(p.image.data);
    vox_prepared_case_release(&p);
    assert_int_equal(vox_mem_blocks(), blocks);
}

static void what_is_refused(void **state)
{
    static subject s;
    const double spacing[3] = {1, 1, 1};
    vox_prepare_cfg cfg = VOX_PREPARE_CFG_INIT;

    (void)state;
    make_subject(&s, spacing);
    s.mask.info.shape = VOX_SHAPE(1, D, W, H);
    refused(&s.image, &s.mask, &cfg, VOX_E_FORMAT, "1x8x10x9");
    s.image.info.shape = VOX_SHAPE(2, 4, H, W);
    refused(&s.image, NULL, &cfg, VOX_E_FORMAT, "4-D");
    s.image.info.shape = VOX_SHAPE(1, D, H, W);
    s.image.info.spacing[1] = 1e12;
    refused(&s.image, NULL, &cfg, VOX_E_FORMAT, "too many");
    s.image.info.spacing[1] = 1.0;
    cfg.transpose[1] = 0;
    refused(&s.image, NULL, &cfg, VOX_E_ARG, "transpose_forward");
    cfg.transpose[1] = 1;
    cfg.target[2] = -1.0;
    refused(&s.image, NULL, &cfg, VOX_E_ARG, "target");
    cfg.target[2] = 1.0;
    for (int i = 0; i < N; i++)
        s.voxels[i] = 7.0f;
    refused(&s.image, NULL, &cfg, VOX_E_FORMAT, "constant");
    memset(s.voxels, 0, sizeof s.voxels);
    refused(&s.image, NULL, &cfg, VOX_E_FORMAT, "constant");
}

static void one_thin_slice_stays_one_slice(void **state)
{
    static subject s;
    const double spacing[3] = {0.4, 1, 1};
    const vox_prepare_cfg cfg = VOX_PREPARE_CFG_INIT;
    vox_prepared_case p = VOX_PREPARED_CASE_INIT;

    (void)state;
    make_subject(&s, spacing);
    s.image.info.shape.n[1] = 1;
    s.image.data = s.voxels + H * W;
    assert_int_equal(prepare(&p, &s.image, NULL, NULL, &cfg, "img"), VOX_OK);
    assert_int_equal(p.image.info.shape.n[1], 1);
    vox_prepared_case_release(&p);
}

static void without_memory(void **state)
{
    static subject s;
    const int64_t blocks = vox_mem_blocks();

    (void)state;
    for (int i = 0; i < 2; i++) {
        vox_prepared_case p = VOX_PREPARED_CASE_INIT;
        int rc = VOX_E_NOMEM;

        make_subject(&s, vectors[i].spacing);
        for (int k = 1; k < 400 && rc != VOX_OK; k++) {
            vox_mem_fail_at(k);
            rc = prepare(&p, &s.image, &s.mask, &s.mask, &vectors[i].cfg, "img");
            vox_mem_fail_at(0);
            assert_true(rc == VOX_OK || (rc == VOX_E_NOMEM && !p.image.data));
        }
        assert_int_equal(rc, VOX_OK);
        vox_prepared_case_release(&p);
        assert_int_equal(vox_mem_blocks(), blocks);
    }
}

/* 20^3 voxels of 90 mm are 1800^3 of 1 mm. */
static void memory_has_an_end(void **state)
{
    static subject s;
    const double spacing[3] = {90, 90, 90};
    vox_prepare_cfg cfg = VOX_PREPARE_CFG_INIT;
    vox_prepared_case p = VOX_PREPARED_CASE_INIT;
    const int64_t calls = vox_mem_calls();

    (void)state;
    make_subject(&s, spacing);
    cfg.memory = 1 << 20;
    assert_int_equal(prepare(&p, &s.image, NULL, NULL, &cfg, "img"), VOX_E_NOMEM);
    assert_true(vox_mem_calls() - calls < 10); /* not tried */
    assert_non_null(strstr(vox_error_text(), "img: "));
    assert_non_null(strstr(vox_error_text(), "wanted at most 1 MiB"));
    for (int i = 0; i < 3; i++)
        s.image.info.spacing[i] = 1.5;
    assert_int_equal(prepare(&p, &s.image, NULL, NULL, &cfg, "img"), VOX_OK);
    vox_prepared_case_release(&p);
}

static void memory_is_foreseen(void **state)
{
    vox_volume_info info = {
        .shape = VOX_SHAPE(1, 100, 200, 300), .spacing = {1, 1, 1}
    };
    const vox_prepare_cfg cfg = VOX_PREPARE_CFG_INIT;
    vox_prepare_cfg keep = cfg;

    (void)state;
    assert_in_range(vox_prepare_memory(&info, 0, &cfg), 4 * 6000000 * 3, 4 * 6000000 * 6);
    strcpy(info.stored, "u8");
    assert_in_range(vox_prepare_memory(&info, 0, &cfg), 4 * 6000000 * 2, 4 * 6000000 * 3);
    assert_true(vox_prepare_memory(&info, 2, &cfg) > vox_prepare_memory(&info, 0, &cfg));
    info.spacing[0] = 1e12;
    assert_true(vox_prepare_memory(&info, 0, &cfg) == INT64_MAX);
    info.spacing[0] = 1; /* a header may say so */
    info.shape = VOX_SHAPE(1, (int64_t)1 << 29, (int64_t)1 << 30, 1);
    keep.target[0] = keep.target[1] = keep.target[2] = 0;
    assert_true(vox_prepare_memory(&info, 2, &keep) == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_on_every_path),
        cmocka_unit_test(properties_are_transposed),
        cmocka_unit_test(noresample_keeps_the_grid),
        cmocka_unit_test(masks_are_not_exchanged),
        cmocka_unit_test(normalising_inside_the_body),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(one_thin_slice_stays_one_slice),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(memory_has_an_end),
        cmocka_unit_test(memory_is_foreseen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
