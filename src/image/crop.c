/* crop: flood fill from outside (data.md 7.4). */
#include "image/crop.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"

enum { DRY, BODY, WET };

/* A flood: voxels from which whole runs along x are still to be taken. */
typedef struct flood {
    uint8_t *mark; /* DRY, BODY, or WET: reached by the flood */
    int64_t n[3];
    int64_t *seed, count, cap;
} flood;

static int is_dry(const flood *f, int64_t at)
{
    return f->mark[at] == DRY;
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
    memset(f->mark + from, WET, (size_t)(to - from));
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

int vox_crop_outside(uint8_t *mark, const int64_t n[3])
{
    flood f = {
        .mark = mark, .n = {n[0], n[1], n[2]}
    };
    int rc = seed_faces(&f);

    while (rc == VOX_OK && f.count > 0) {
        const int64_t at = f.seed[--f.count];

        if (is_dry(&f, at))
            rc = take_run(&f, at);
    }
    vox_free(f.seed);
    for (int64_t i = 0; i < n[0] * n[1] * n[2]; i++)
        mark[i] = mark[i] == WET;
    return rc;
}
