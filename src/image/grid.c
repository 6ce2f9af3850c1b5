/* grid: boxes, statistics and copies of stored voxels, row by row; the choice of a path. */
#include "image/grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/mem.h"

extern const vox_grid_kernel vox_grid_plain;
#ifdef VOX_HAVE_X86_PATHS
extern const vox_grid_kernel vox_grid_avx2, vox_grid_avx512;
#endif

/* Worst first, in the order of VOX_IMAGE_*. */
static const struct {
    const char *name;
    vox_isa needs;
    const vox_grid_kernel *kernel;
} paths[] = {
    {"reference", VOX_ISA_BASE,   &vox_grid_plain },
    {"plain",     VOX_ISA_BASE,   &vox_grid_plain },
#ifdef VOX_HAVE_X86_PATHS
    {"avx2",      VOX_ISA_AVX2,   &vox_grid_avx2  },
    {"avx512",    VOX_ISA_AVX512, &vox_grid_avx512},
#endif
};

int vox_image_path(void)
{
    const char *name = getenv("VOX_CPU");
    int i = VOX_COUNT(paths) - 1;

    for (int j = 0; name && j < VOX_COUNT(paths); j++) {
        if (strcmp(name, paths[j].name) == 0 && vox_cpu_has(paths[j].needs))
            return j;
    }
    while (!vox_cpu_has(paths[i].needs))
        i--;
    return i;
}

const vox_grid_kernel *vox_grid_kernel_choose(void)
{
    return paths[vox_image_path()].kernel;
}

size_t vox_voxel_size(vox_voxel e)
{
    static const size_t size[VOX_VOXELS] = {4, 1, 1, 2, 2};

    return size[e];
}

vox_grid vox_volume_grid(const vox_volume *v, int64_t channel)
{
    const int64_t *n = v->info.shape.n + 1;

    return (vox_grid){
        .data = v->data + channel * n[0] * n[1] * n[2],
        .voxel = VOX_VOXEL_F32,
        .n = {n[0], n[1],    n[2]},
        .step = {n[1] * n[2],    n[2]},
        .slope = 1,
    };
}

static const void *row_of(const vox_grid *v, int64_t z, int64_t y)
{
    return (const char *)v->data +
           (z * v->step[0] + y * v->step[1]) * (int64_t)vox_voxel_size(v->voxel);
}

vox_grid vox_grid_part(const vox_grid *v, const vox_box *box)
{
    const int64_t x = box->lo[2] * (int64_t)vox_voxel_size(v->voxel);
    vox_grid part = *v;

    part.data = (const char *)row_of(v, box->lo[0], box->lo[1]) + x;
    for (int a = 0; a < 3; a++)
        part.n[a] = box->hi[a] - box->lo[a];
    return part;
}

/* The stored value that means 0. @return 0: there is none, 1: *zero */
static int find_zero(const vox_grid *v, int *zero)
{
    static const int least[VOX_VOXELS] = {0, 0, INT8_MIN, 0, INT16_MIN};
    static const int most[VOX_VOXELS] = {0, UINT8_MAX, INT8_MAX, UINT16_MAX, INT16_MAX};
    const double near = rint(-v->inter / v->slope);

    *zero = 0;
    if (v->voxel == VOX_VOXEL_F32)
        return 1;
    if (!(near >= least[v->voxel] && near <= most[v->voxel]))
        return 0;
    *zero = (int)near;
    return (float)(near * v->slope + v->inter) == 0.0f;
}

/* Any byte of the i-th element set? */
static int is_set(const char *acc, size_t size, int64_t i)
{
    for (size_t k = 0; k < size; k++) {
        if (acc[(size_t)i * size + k])
            return 1;
    }
    return 0;
}

/* Rows as they come: which planes, rows and columns hold something. */
typedef struct found {
    char *column, *row;
    int64_t first, last; /* planes; -1: none */
} found;

static void look(found *f, const vox_grid *v, int zero)
{
    const vox_grid_kernel *k = vox_grid_kernel_choose();

    for (int64_t z = 0; z < v->n[0]; z++) {
        int any = 0;

        for (int64_t y = 0; y < v->n[1]; y++) {
            const int here =
                k->differs(f->column, row_of(v, z, y), v->voxel, v->n[2], zero);

            f->row[y] |= (char)here;
            any |= here;
        }
        if (any && f->first < 0)
            f->first = z;
        if (any)
            f->last = z;
    }
}

static void narrow(vox_box *b, const found *f, size_t size)
{
    b->lo[0] = f->first;
    b->hi[0] = f->last + 1;
    while (!f->row[b->lo[1]])
        b->lo[1]++;
    while (!f->row[b->hi[1] - 1])
        b->hi[1]--;
    while (!is_set(f->column, size, b->lo[2]))
        b->lo[2]++;
    while (!is_set(f->column, size, b->hi[2] - 1))
        b->hi[2]--;
}

int vox_grid_box(vox_box *out, const vox_grid *v)
{
    const size_t size = vox_voxel_size(v->voxel);
    found f = {.first = -1};
    int zero;

    *out = (vox_box){
        {0,       0,       0      },
        {v->n[0], v->n[1], v->n[2]}
    };
    if (!find_zero(v, &zero))
        return VOX_OK;
    f.column = vox_zalloc((size_t)v->n[2], size);
    f.row = vox_zalloc((size_t)v->n[1], 1);
    if (f.column && f.row) {
        look(&f, v, zero);
        if (f.first >= 0)
            narrow(out, &f, size);
    }
    vox_free(f.column);
    vox_free(f.row);
    return f.column && f.row ? VOX_OK : VOX_E_NOMEM;
}

static float first_of(const vox_grid *v)
{
    float x;

    vox_grid_kernel_choose()->widen(&x, v->data, v->voxel, 1, 0.0f, 1.0f);
    return x;
}

static vox_row_sums sums_of(const vox_grid *v)
{
    const vox_grid_kernel *k = vox_grid_kernel_choose();
    vox_row_sums s = {.lo = first_of(v)};

    s.hi = s.lo;
    s.centre = v->voxel == VOX_VOXEL_F32 ? (double)s.lo : 0.0;
    for (int64_t z = 0; z < v->n[0]; z++) {
        for (int64_t y = 0; y < v->n[1]; y++)
            k->sums(&s, row_of(v, z, y), v->voxel, v->n[2]);
    }
    return s;
}

void vox_grid_range(float lo_hi[2], const vox_grid *v)
{
    const vox_row_sums s = sums_of(v);

    lo_hi[0] = s.lo;
    lo_hi[1] = s.hi;
}

static double join(const double lane[8])
{
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) +
           ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

/* Of the stored values to what they mean. */
static vox_stats scaled(vox_stats s, double slope, double inter)
{
    const double a = (double)s.lo * slope + inter, b = (double)s.hi * slope + inter;

    s.lo = (float)fmin(a, b);
    s.hi = (float)fmax(a, b);
    s.mean = s.mean * slope + inter;
    s.std *= fabs(slope);
    return s;
}

vox_stats vox_grid_stats(const vox_grid *v)
{
    const int64_t n = v->n[0] * v->n[1] * v->n[2];
    const vox_row_sums s = sums_of(v);
    vox_stats out = {.count = n, .lo = s.lo, .hi = s.hi};
    double shift, squares;

    if (v->voxel == VOX_VOXEL_F32) {
        shift = join(s.fsum) / (double)n;
        squares = join(s.fsquares) / (double)n;
    } else {
        shift = (double)s.sum / (double)n;
        squares = (double)s.squares / (double)n;
    }
    out.mean = s.centre + shift;
    out.std = sqrt(fmax(0.0, squares - shift * shift));
    return scaled(out, v->slope, v->inter);
}

/* Where output axis i goes on in the grid: elements. */
static void turned(int64_t m[3], int64_t step[3], const vox_grid *v, const int order[3])
{
    const int64_t along[3] = {v->step[0], v->step[1], 1};

    for (int i = 0; i < 3; i++) {
        m[i] = v->n[order[i]];
        step[i] = along[order[i]];
    }
}

/* One output row whose voxels are `step` apart: gathered, then as any row. */
static const void *gather(char *line, const char *from, int64_t step, int64_t n,
                          size_t size)
{
    if (step == 1)
        return from;
    for (int64_t x = 0; x < n; x++)
        memcpy(line + (size_t)x * size, from + (size_t)(x * step) * size, size);
    return line;
}

/* Rows of a permuted copy are gathered in pieces of this many voxels. */
enum { PIECE = 1024 };

typedef struct row_arg {
    const vox_grid_kernel *k;
    float shift, scale;
} row_arg;

static void each_row(const vox_grid *v, const int order[3], void *out, size_t out_size,
                     void (*put)(void *out, const void *row, const vox_grid *v, int64_t n,
                                 const row_arg *arg),
                     float shift, float scale)
{
    const row_arg arg = {vox_grid_kernel_choose(), shift, scale};
    const size_t size = vox_voxel_size(v->voxel);
    int64_t m[3], step[3];
    float line[PIECE];
    char *to = out;

    turned(m, step, v, order);
    for (int64_t i = 0; i < m[0] * m[1]; i++) {
        const char *from = (const char *)v->data +
                           (i / m[1] * step[0] + i % m[1] * step[1]) * (int64_t)size;

        for (int64_t x = 0; x < m[2]; x += PIECE) {
            const int64_t n = m[2] - x < PIECE ? m[2] - x : PIECE;

            put(to,
                gather((char *)line, from + x * step[2] * (int64_t)size, step[2], n, size),
                v, n, &arg);
            to += (size_t)n * out_size;
        }
    }
}

static void put_floats(void *out, const void *row, const vox_grid *v, int64_t n,
                       const row_arg *arg)
{
    arg->k->widen(out, row, v->voxel, n, arg->shift, arg->scale);
}

void vox_grid_copy(float *out, const vox_grid *v, const int order[3], float shift,
                   float scale)
{
    each_row(v, order, out, sizeof *out, put_floats, shift, scale);
}

static void put_body(void *out, const void *row, const vox_grid *v, int64_t n,
                     const row_arg *arg)
{
    float value[PIECE];
    uint8_t *body = out;

    arg->k->widen(value, row, v->voxel, n, arg->shift, arg->scale);
    for (int64_t i = 0; i < n; i++)
        body[i] = value[i] != 0.0f;
}

void vox_grid_body(uint8_t *out, const vox_grid *v, const int order[3])
{
    const int64_t n = v->n[0] * v->n[1] * v->n[2];
    int zero;

    if (find_zero(v, &zero))
        each_row(v, order, out, 1, put_body, (float)zero, 1.0f);
    else
        memset(out, 1, (size_t)n);
}
