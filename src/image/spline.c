/* spline: axes, the choice of kernels, and the order of the passes over a volume. */
#include "image/spline.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "image/spline_reference.h"

extern const vox_spline_kernel vox_spline_plain;
#ifdef VOX_HAVE_X86_PATHS
extern const vox_spline_kernel vox_spline_avx2, vox_spline_avx512;
#endif

const vox_spline_kernel *vox_spline_kernel_choose(void)
{
    static const vox_spline_kernel *const of_path[] = {
        [VOX_IMAGE_REFERENCE] = NULL,
        [VOX_IMAGE_PLAIN] = &vox_spline_plain,
#ifdef VOX_HAVE_X86_PATHS
        [VOX_IMAGE_AVX2] = &vox_spline_avx2,
        [VOX_IMAGE_AVX512] = &vox_spline_avx512,
#endif
    };

    return of_path[vox_image_path()];
}

double vox_spline_place(int64_t k, int64_t n, int64_t m)
{
    const double step = (double)n / (double)m;

    return ((double)k + 0.5) * step - 0.5;
}

void vox_spline_weights(double w[4], double t)
{
    const double g = 1.0 - t;

    w[0] = g * g * g / 6.0;
    w[1] = (t * t * (t - 2.0) * 3.0 + 4.0) / 6.0;
    w[2] = (g * g * (g - 2.0) * 3.0 + 4.0) / 6.0;
    w[3] = 1.0 - w[0] - w[1] - w[2];
}

int vox_spline_axis_init(vox_spline_axis *a, int64_t n, int64_t m)
{
    a->n = n;
    a->m = m;
    a->first = vox_alloc((size_t)m, sizeof *a->first);
    a->weight = vox_alloc((size_t)m, 4 * sizeof *a->weight);
    if (!a->first || !a->weight)
        return VOX_E_NOMEM; /* the caller releases */
    for (int64_t k = 0; k < m; k++) {
        const double u = vox_spline_place(k, n, m), base = floor(u);
        double w[4];

        vox_spline_weights(w, u - base);
        a->first[k] = (int64_t)base - 1;
        for (int i = 0; i < 4; i++)
            a->weight[4 * k + i] = (float)(6.0 * w[i]);
    }
    return VOX_OK;
}

void vox_spline_axis_release(vox_spline_axis *a)
{
    vox_free(a->first);
    vox_free(a->weight);
}

int64_t vox_spline_scratch(const vox_spline_axis *a)
{
    return (a->n + 8) * VOX_SPLINE_STRIP + (a->m + 16) * VOX_SPLINE_STRIP / 4;
}

void vox_spline_space_release(vox_spline_space *s)
{
    vox_scratch_release(&s->scratch);
    vox_scratch_release(&s->plane);
    vox_scratch_release(&s->planes);
}

/* What the passes share. */
typedef struct passes {
    const vox_spline_kernel *k;
    const vox_grid *in;
    const vox_spline_map *map;
    vox_spline_axis axis[3];
    float *scratch; /* of the kernels */
    float *plane;   /* [n1, m2]: rows done, columns to do */
    float *planes;  /* [n0, m1, m2]: planes done, depth to do */
} passes;

static int changes(const passes *p, int a)
{
    return p->axis[a].n != p->axis[a].m;
}

static int passes_init(passes *p, const int64_t m[3], vox_spline_space *space)
{
    const int64_t *n = p->in->n;
    int64_t scratch = 0;
    int rc = VOX_OK;

    for (int a = 0; a < 3 && rc == VOX_OK; a++) {
        rc = vox_spline_axis_init(&p->axis[a], n[a], m[a]);
        if (vox_spline_scratch(&p->axis[a]) > scratch)
            scratch = vox_spline_scratch(&p->axis[a]);
    }
    if (rc != VOX_OK)
        return rc;
    p->scratch = vox_scratch_need(&space->scratch, (size_t)scratch, sizeof *p->scratch);
    if (changes(p, 1))
        p->plane = vox_scratch_need(&space->plane, (size_t)(n[1] * m[2]), sizeof *p->plane);
    if (changes(p, 0))
        p->planes = vox_scratch_need(&space->planes, (size_t)(n[0] * m[1] * m[2]),
                                     sizeof *p->planes);
    return p->scratch && (p->plane || !changes(p, 1)) && (p->planes || !changes(p, 0))
               ? VOX_OK
               : VOX_E_NOMEM;
}

static void passes_release(passes *p)
{
    for (int a = 0; a < 3; a++)
        vox_spline_axis_release(&p->axis[a]);
}

static vox_spline_rows rows_of(const passes *p, int64_t plane)
{
    const vox_grid *v = p->in;
    const int64_t at = plane * v->step[0] * (int64_t)vox_voxel_size(v->voxel);

    return (vox_spline_rows){.data = (const char *)v->data + at,
                             .voxel = v->voxel,
                             .count = v->n[1],
                             .step = v->step[1],
                             .shift = p->map->shift};
}

/* Rows that keep their length only become floats. */
static void widen(float *out, const vox_spline_rows *in, int64_t n)
{
    const vox_grid_kernel *k = vox_grid_kernel_choose();
    const int64_t step = in->step * (int64_t)vox_voxel_size(in->voxel);

    for (int64_t y = 0; y < in->count; y++)
        k->widen(out + y * n, (const char *)in->data + y * step, in->voxel, n, in->shift,
                 1.0f);
}

/* One plane [n1, n2] to [m1, m2]; `map` as for columns. */
static void do_plane(const passes *p, float *out, int64_t plane, const vox_spline_map *map)
{
    const vox_spline_axis *y = &p->axis[1], *x = &p->axis[2];
    const vox_spline_rows in = rows_of(p, plane);
    float *rows = changes(p, 1) ? p->plane : out;

    if (changes(p, 2))
        p->k->rows(rows, &in, x, p->scratch);
    else
        widen(rows, &in, x->n);
    if (changes(p, 1))
        p->k->columns(out, rows, x->m, y, map, p->scratch);
    else if (map)
        p->k->finish(out, y->m * x->m, map);
}

static void do_volume(const passes *p, float *out)
{
    const vox_spline_axis *z = &p->axis[0];
    const int64_t each = p->axis[1].m * p->axis[2].m;
    float *planes = changes(p, 0) ? p->planes : out;

    for (int64_t i = 0; i < z->n; i++)
        do_plane(p, planes + i * each, i, changes(p, 0) ? NULL : p->map);
    if (changes(p, 0))
        p->k->columns(out, planes, each, z, p->map, p->scratch);
}

/* All steps in double; the shift comes last, as it cancels. */
static int do_reference(float *out, const vox_grid *in, const int64_t m[3],
                        const vox_spline_map *map)
{
    static const int as_is[3] = {0, 1, 2};
    const int64_t count = m[0] * m[1] * m[2];
    float *x = vox_alloc((size_t)(in->n[0] * in->n[1] * in->n[2]), sizeof *x);
    int rc = x ? VOX_OK : VOX_E_NOMEM;

    if (rc == VOX_OK) {
        vox_grid_copy(x, in, as_is, 0.0f, 1.0f);
        rc = vox_spline_volume_reference(out, x, in->n, m);
    }
    for (int64_t i = 0; i < count && rc == VOX_OK; i++) {
        const double v =
            ((double)out[i] - (double)map->shift) * (double)map->scale + (double)map->rest;

        out[i] = (float)fmin(fmax(v, (double)map->lo), (double)map->hi);
    }
    vox_free(x);
    return rc;
}

int vox_spline_grid(float *out, const vox_grid *in, const int64_t m[3],
                    const vox_spline_map *map, vox_spline_space *space,
                    const vox_spline_kernel *k)
{
    passes p = {.k = k, .in = in, .map = map};
    int rc;

    if (!k)
        return do_reference(out, in, m, map);
    rc = passes_init(&p, m, space);
    if (rc == VOX_OK)
        do_volume(&p, out);
    passes_release(&p);
    return rc;
}
