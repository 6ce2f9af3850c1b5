/* crop: bounding box, boxed copy, flood fill from outside (data.md 7.4). */
#include "image/crop.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Widen the box by the values of one row that are not zero. */
static void add_row(vox_box *b, const float *row, int64_t z, int64_t y, int64_t n)
{
    int64_t first = 0, last = n - 1;

    while (first < n && row[first] == 0.0f)
        first++;
    if (first == n)
        return;
    while (row[last] == 0.0f)
        last--;
    b->lo[0] = least(b->lo[0], z);
    b->hi[0] = most(b->hi[0], z + 1);
    b->lo[1] = least(b->lo[1], y);
    b->hi[1] = most(b->hi[1], y + 1);
    b->lo[2] = least(b->lo[2], first);
    b->hi[2] = most(b->hi[2], last + 1);
}

vox_box vox_crop_box(const vox_volume *v)
{
    const int64_t *n = v->info.shape.n;
    vox_box b = {
        {n[1], n[2], n[3]},
        {0,    0,    0   }
    };
    const float *row = v->data;

    for (int64_t c = 0; c < n[0]; c++) {
        for (int64_t z = 0; z < n[1]; z++) {
            for (int64_t y = 0; y < n[2]; y++, row += n[3])
                add_row(&b, row, z, y, n[3]);
        }
    }
    if (b.hi[0] == 0)
        b = (vox_box){
            {0,    0,    0   },
            {n[1], n[2], n[3]}
        };
    return b;
}

void vox_crop_copy(float *out, const float *in, const int64_t n[3], const vox_box *box,
                   const int order[3])
{
    const int64_t stride[3] = {n[1] * n[2], n[2], 1};
    int64_t m[3], step[3];

    in += box->lo[0] * stride[0] + box->lo[1] * stride[1] + box->lo[2];
    for (int i = 0; i < 3; i++) {
        m[i] = box->hi[order[i]] - box->lo[order[i]];
        step[i] = stride[order[i]];
    }
    for (int64_t z = 0; z < m[0]; z++) {
        for (int64_t y = 0; y < m[1]; y++, out += m[2]) {
            const float *row = in + z * step[0] + y * step[1];

            if (step[2] == 1) {
                memcpy(out, row, sizeof *out * (size_t)m[2]);
                continue;
            }
            for (int64_t x = 0; x < m[2]; x++)
                out[x] = row[x * step[2]];
        }
    }
}

/* A flood: voxels from which whole runs along x are still to be taken. */
typedef struct flood {
    uint8_t *outside;
    const float *image;
    int64_t n[3];
    int64_t *seed, count, cap;
} flood;

static int is_dry(const flood *f, int64_t at)
{
    return f->image[at] == 0.0f && !f->outside[at];
}

static int add_seed(flood *f, int64_t at)
{
    if (f->count == f->cap)
        VOX_TRY(vox_grow(&f->seed, &f->cap, f->count + 1, sizeof *f->seed));
    f->seed[f->count++] = at;
    return VOX_OK;
}

/* One seed for every dry run among the voxels [from, to) of a row. */
static int seed_row(flood *f, int64_t from, int64_t to)
{
    for (int64_t at = from; at < to; at++) {
        if (is_dry(f, at) && (at == from || !is_dry(f, at - 1)))
            VOX_TRY(add_seed(f, at));
    }
    return VOX_OK;
}

/* Take the run around a seed, then look at the four rows beside it. */
static int take_run(flood *f, int64_t at)
{
    const int64_t row = at / f->n[2], begin = row * f->n[2], end = begin + f->n[2];
    const int64_t y = row % f->n[1], z = row / f->n[1], plane = f->n[1] * f->n[2];
    int64_t from = at, to = at;

    while (from > begin && is_dry(f, from - 1))
        from--;
    while (to < end && is_dry(f, to))
        to++;
    memset(f->outside + from, 1, (size_t)(to - from));
    if (y > 0)
        VOX_TRY(seed_row(f, from - f->n[2], to - f->n[2]));
    if (y + 1 < f->n[1])
        VOX_TRY(seed_row(f, from + f->n[2], to + f->n[2]));
    if (z > 0)
        VOX_TRY(seed_row(f, from - plane, to - plane));
    if (z + 1 < f->n[0])
        VOX_TRY(seed_row(f, from + plane, to + plane));
    return VOX_OK;
}

/* Seeds are the dry voxels on the six faces. */
static int seed_faces(flood *f)
{
    for (int64_t z = 0; z < f->n[0]; z++) {
        for (int64_t y = 0; y < f->n[1]; y++) {
            const int64_t row = (z * f->n[1] + y) * f->n[2], last = row + f->n[2] - 1;
            const int face = z == 0 || y == 0 || z == f->n[0] - 1 || y == f->n[1] - 1;

            if (face)
                VOX_TRY(seed_row(f, row, last + 1));
            if (!face && is_dry(f, row))
                VOX_TRY(add_seed(f, row));
            if (!face && is_dry(f, last))
                VOX_TRY(add_seed(f, last));
        }
    }
    return VOX_OK;
}

int vox_crop_outside(uint8_t *outside, const float *image, const int64_t n[3])
{
    flood f = {
        .outside = outside, .image = image, .n = {n[0], n[1], n[2]}
    };
    int rc;

    memset(outside, 0, (size_t)(n[0] * n[1] * n[2]));
    rc = seed_faces(&f);
    while (rc == VOX_OK && f.count > 0) {
        const int64_t at = f.seed[--f.count];

        if (is_dry(&f, at))
            rc = take_run(&f, at);
    }
    vox_free(f.seed);
    return rc;
}
