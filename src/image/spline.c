/* spline: axes, the choice of kernels, and the order of the passes over a volume. */
#include "image/spline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/mem.h"
#include "image/spline_reference.h"

extern const vox_spline_kernel vox_spline_plain;
#ifdef VOX_HAVE_X86_PATHS
extern const vox_spline_kernel vox_spline_avx2, vox_spline_avx512;
#endif

/* Worst first. */
static const struct {
    const char *name;
    vox_isa needs;
    const vox_spline_kernel *kernel;
} paths[] = {
    {"reference", VOX_ISA_BASE,   NULL              },
    {"plain",     VOX_ISA_BASE,   &vox_spline_plain },
#ifdef VOX_HAVE_X86_PATHS
    {"avx2",      VOX_ISA_AVX2,   &vox_spline_avx2  },
    {"avx512",    VOX_ISA_AVX512, &vox_spline_avx512},
#endif
};

const vox_spline_kernel *vox_spline_kernel_choose(void)
{
    const char *name = getenv("VOX_CPU");
    int i = VOX_COUNT(paths) - 1;

    for (int j = 0; name && j < VOX_COUNT(paths); j++) {
        if (strcmp(name, paths[j].name) == 0 && vox_cpu_has(paths[j].needs))
            return paths[j].kernel;
    }
    while (!vox_cpu_has(paths[i].needs))
        i--;
    return paths[i].kernel;
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

/* What the passes share. */
typedef struct passes {
    const vox_spline_kernel *k;
    vox_spline_axis axis[3];
    float *scratch; /* of the kernels */
    float *plane;   /* [n1, m2]: rows done, columns to do */
    float *planes;  /* [n0, m1, m2]: planes done, depth to do */
} passes;

static int changes(const passes *p, int a)
{
    return p->axis[a].n != p->axis[a].m;
}

static int passes_init(passes *p, const int64_t n[3], const int64_t m[3])
{
    int64_t scratch = 0;
    int rc = VOX_OK;

    for (int a = 0; a < 3 && rc == VOX_OK; a++) {
        rc = vox_spline_axis_init(&p->axis[a], n[a], m[a]);
        if (vox_spline_scratch(&p->axis[a]) > scratch)
            scratch = vox_spline_scratch(&p->axis[a]);
    }
    if (rc != VOX_OK)
        return rc;
    p->scratch = vox_alloc((size_t)scratch, sizeof *p->scratch);
    if (changes(p, 1) && changes(p, 2))
        p->plane = vox_alloc((size_t)(n[1] * m[2]), sizeof *p->plane);
    if (changes(p, 0) && (changes(p, 1) || changes(p, 2)))
        p->planes = vox_alloc((size_t)(n[0] * m[1] * m[2]), sizeof *p->planes);
    if (!p->scratch || (changes(p, 1) && changes(p, 2) && !p->plane) ||
        (changes(p, 0) && (changes(p, 1) || changes(p, 2)) && !p->planes))
        return VOX_E_NOMEM;
    return VOX_OK;
}

static void passes_release(passes *p)
{
    for (int a = 0; a < 3; a++)
        vox_spline_axis_release(&p->axis[a]);
    vox_free(p->scratch);
    vox_free(p->plane);
    vox_free(p->planes);
}

/* One plane [n1, n2] to [m1, m2]; at least one of the two axes changes. */
static void do_plane(const passes *p, float *out, const float *in)
{
    const vox_spline_axis *y = &p->axis[1], *x = &p->axis[2];
    float *rows = changes(p, 1) ? p->plane : out;

    if (changes(p, 2))
        p->k->rows(rows, in, y->n, x, p->scratch);
    if (changes(p, 1))
        p->k->columns(out, changes(p, 2) ? rows : in, x->m, y, p->scratch);
}

static void do_volume(const passes *p, float *out, const float *in)
{
    const vox_spline_axis *z = &p->axis[0], *y = &p->axis[1], *x = &p->axis[2];
    float *planes = changes(p, 0) ? p->planes : out;

    if (changes(p, 1) || changes(p, 2)) {
        for (int64_t i = 0; i < z->n; i++)
            do_plane(p, planes + i * y->m * x->m, in + i * y->n * x->n);
        in = planes;
    }
    if (changes(p, 0))
        p->k->columns(out, in, y->m * x->m, z, p->scratch);
}

int vox_spline_volume(float *out, const float *in, const int64_t n[3], const int64_t m[3],
                      const vox_spline_kernel *k)
{
    passes p = {.k = k};
    int rc;

    if (n[0] == m[0] && n[1] == m[1] && n[2] == m[2]) {
        memcpy(out, in, sizeof *out * (size_t)(n[0] * n[1] * n[2]));
        return VOX_OK;
    }
    if (!k)
        return vox_spline_volume_reference(out, in, n, m);
    rc = passes_init(&p, n, m);
    if (rc == VOX_OK)
        do_volume(&p, out, in);
    passes_release(&p);
    return rc;
}
