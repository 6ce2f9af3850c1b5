/*
 * winograd_tile: tiles of voxels into the planes of winograd.h and back.
 *
 * A tile is transformed axis by axis, one vector of channels at a time. It is read by rows
 * of voxels. Rows outside of the tensor are zeros kept for that; those that reach over its
 * border are copied first.
 */
#include "backend/cpu/winograd.h"

enum {
    LANES = VOX_LANES,
    WIDTH = VOX_WINOGRAD_WIDTH,
    COLUMNS = VOX_WINOGRAD_COLUMNS,
    SLICE = VOX_WINOGRAD_SLICE,
    AHEAD = 2 /* tiles in front of which the source is asked for */
};

/* Extents and origin of a tile's voxels in a tensor, in voxels. */
typedef struct window {
    int64_t begin[3]; /* may lie outside */
    const int64_t *extent;
} window;

static int64_t offset_of(const window *w, int64_t d, int64_t h, int64_t x)
{
    return (((w->begin[0] + d) * w->extent[1] + w->begin[1] + h) * w->extent[2] +
            w->begin[2] + x) *
           LANES;
}

static int is_inside(const window *w, int axis, int64_t i)
{
    return w->begin[axis] + i >= 0 && w->begin[axis] + i < w->extent[axis];
}

/* The rows of a tile, of the type of their tensor. */
typedef struct rows {
    vox_stream at[16];
    char copy[16 * COLUMNS * LANES * sizeof(float)];
} rows;

/* Row number i, which begins at x and reaches over the border. */
static vox_stream copy_row(rows *r, int i, const window *w, int columns, vox_stream x)
{
    const vox_stream out = {r->copy + (size_t)(i * COLUMNS * LANES) * sizeof(float),
                            x.bf16};

    for (int k = 0; k < columns; k++)
        vox_stream_store(out, k * LANES,
                         is_inside(w, 2, k) ? vox_stream_load(x, k * LANES) : vec_zero());
    return out;
}

/* Constants first: rows per depth, and voxels of one; there are height^2 rows. */
VOX_INLINE void find_rows(const int height, const int columns, rows *r, const window *w,
                          vox_stream x)
{
    static const float zeros[COLUMNS * LANES];
    const int whole = is_inside(w, 2, 0) && is_inside(w, 2, columns - 1);
    const int64_t row = w->extent[2] * LANES, slice = w->extent[1] * row;
    const vox_stream first = vox_stream_at(x, offset_of(w, 0, 0, 0));

    for (int d = 0; d < height; d++) {
        for (int h = 0; h < height; h++) {
            const int i = d * height + h;

            r->at[i] = vox_stream_at(first, d * slice + h * row);
            if (!is_inside(w, 0, d) || !is_inside(w, 1, h))
                r->at[i].data = vox_stream_f32(zeros).data;
            else if (!whole)
                r->at[i] = copy_row(r, i, w, columns, r->at[i]);
        }
    }
}

/* ---- source: B' x B ---- */

/* Depth or height: four values into four, `step` apart. */
VOX_INLINE void source_axis(vec *out, int step, vec a, vec b, vec c, vec d)
{
    out[0] = vec_sub(a, c);
    out[step] = vec_add(b, c);
    out[2 * step] = vec_sub(c, b);
    out[3 * step] = vec_sub(b, d);
}

/* Width: six voxels. */
VOX_INLINE void source_row(vec out[COLUMNS], vox_stream x)
{
    const vec most = vec_set1(1.5f);
    vec d[COLUMNS], p, q;

    VOX_UNROLL
    for (int k = 0; k < COLUMNS; k++)
        d[k] = vox_stream_load(x, k * LANES);
    p = vec_sub(d[3], d[1]);
    q = vec_sub(d[4], d[2]);
    out[0] = vec_fma(most, p, vec_add(vec_sub(d[0], d[2]), q));
    out[1] = vec_fma(most, vec_add(d[3], d[2]), vec_add(q, p));
    out[2] = vec_fma(most, vec_sub(d[3], d[2]), vec_sub(q, p));
    out[3] = vec_fma(vec_set1(2), p, q);
    out[4] = vec_fnma(vec_set1(0.5f), p, q);
    out[5] = vec_fma(most, q, vec_sub(vec_sub(d[5], d[3]), p));
}

/* Width and height of one depth of a tile. The type is a constant. */
VOX_INLINE void source_plane(float *out, const int bf16, const vox_stream row[4])
{
    vec a[SLICE], b[SLICE];

    VOX_UNROLL
    for (int h = 0; h < 4; h++)
        source_row(a + COLUMNS * h, (vox_stream){row[h].data, bf16});
    VOX_UNROLL
    for (int k = 0; k < COLUMNS; k++)
        source_axis(b + k, COLUMNS, a[k], a[COLUMNS + k], a[2 * COLUMNS + k],
                    a[3 * COLUMNS + k]);
    VOX_UNROLL
    for (int i = 0; i < SLICE; i++)
        vec_store(out + i * LANES, b[i]);
}

/* What the next tiles will add to a row. */
VOX_INLINE void prefetch_row(vox_stream x)
{
    for (int k = 0; k < WIDTH; k++)
        vec_prefetch(vox_stream_at(x, (WIDTH * AHEAD + k) * LANES).data);
}

VOX_INLINE void source_tile(float *v, int64_t plane, const int bf16, const rows *r)
{
    float half[4 * SLICE * LANES];

    for (int d = 0; d < 4; d++) {
        for (int h = 0; h < 4; h++)
            prefetch_row(r->at[4 * d + h]);
        source_plane(half + d * SLICE * LANES, bf16, r->at + 4 * d);
    }
    for (int i = 0; i < SLICE; i++) {
        const float *at = half + i * LANES;
        vec a[4];

        source_axis(a, 1, vec_load(at), vec_load(at + SLICE * LANES),
                    vec_load(at + 2 * SLICE * LANES), vec_load(at + 3 * SLICE * LANES));
        for (int k = 0; k < 4; k++)
            vec_store(v + (SLICE * k + i) * plane, a[k]);
    }
}

void VOX_KERNEL(vox_winograd_source)(float *v, const vox_winograd *w, vox_winograd_run r,
                                     vox_stream x, int64_t image)
{
    const vox_conv_axis *axis = w->pass.axis;
    vox_winograd_place p = vox_winograd_place_of(w, r.first);
    rows row;

    for (int64_t t = 0; t < r.count; t++, v += LANES, vox_winograd_step(w, &p)) {
        const window at = {
            {2 * p.at[0] + axis[0].low, 2 * p.at[1] + axis[1].low,
             WIDTH * p.at[2] + axis[2].low},
            w->pass.source.extent
        };

        find_rows(4, COLUMNS, &row, &at, vox_stream_at(x, p.image * image));
        if (x.bf16)
            source_tile(v, r.plane, 1, &row);
        else
            source_tile(v, r.plane, 0, &row);
    }
}

/* ---- target, for the gradient of the weights: A dy A' ---- */

/* Depth or height: two values into four. */
VOX_INLINE void target_axis(vec *out, int step, vec a, vec b)
{
    out[0] = a;
    out[step] = vec_add(a, b);
    out[2 * step] = vec_sub(a, b);
    out[3 * step] = vec_neg(b);
}

/* The value of y0 + y1 t + y2 t^2 + y3 t^3. */
VOX_INLINE vec value_at(const vec y[WIDTH], float t)
{
    const vec at = vec_set1(t);

    return vec_fma(at, vec_fma(at, vec_fma(at, y[3], y[2]), y[1]), y[0]);
}

/* Width: four voxels. */
VOX_INLINE void target_row(vec out[COLUMNS], vox_stream x)
{
    vec y[WIDTH], even, odd;

    VOX_UNROLL
    for (int k = 0; k < WIDTH; k++)
        y[k] = vec_load((const float *)x.data + k * LANES);
    even = vec_add(y[0], y[2]);
    odd = vec_add(y[1], y[3]);
    out[0] = y[0];
    out[1] = vec_add(even, odd);
    out[2] = vec_sub(even, odd);
    out[3] = value_at(y, 0.5f);
    out[4] = value_at(y, -2);
    out[5] = y[3];
}

/* Width and height of one depth. */
VOX_INLINE void target_plane(float *out, const vox_stream row[2])
{
    vec a[2 * COLUMNS], b[SLICE];

    VOX_UNROLL
    for (int h = 0; h < 2; h++)
        target_row(a + COLUMNS * h, row[h]);
    VOX_UNROLL
    for (int k = 0; k < COLUMNS; k++)
        target_axis(b + k, COLUMNS, a[k], a[COLUMNS + k]);
    VOX_UNROLL
    for (int i = 0; i < SLICE; i++)
        vec_store(out + i * LANES, b[i]);
}

static void target_tile(float *z, int64_t plane, const rows *r)
{
    float half[2 * SLICE * LANES];

    for (int d = 0; d < 2; d++)
        target_plane(half + d * SLICE * LANES, r->at + 2 * d);
    for (int i = 0; i < SLICE; i++) {
        vec a[4];

        target_axis(a, 1, vec_load(half + i * LANES), vec_load(half + (SLICE + i) * LANES));
        for (int k = 0; k < 4; k++)
            vec_store(z + (SLICE * k + i) * plane, a[k]);
    }
}

void VOX_KERNEL(vox_winograd_target)(float *z, const vox_winograd *w, vox_winograd_run r,
                                     const float *dy, int64_t image)
{
    vox_winograd_place p = vox_winograd_place_of(w, r.first);
    rows row;

    for (int64_t t = 0; t < r.count; t++, z += LANES, vox_winograd_step(w, &p)) {
        const window at = {
            {2 * p.at[0], 2 * p.at[1], WIDTH * p.at[2]},
            w->pass.target.extent
        };

        find_rows(2, WIDTH, &row, &at, vox_stream_f32(dy + p.image * image));
        target_tile(z, r.plane, &row);
    }
}

/* ---- result: A' m A ---- */

/* Depth or height: four values into two. */
VOX_INLINE void result_axis(vec *out, int step, vec a, vec b, vec c, vec d)
{
    out[0] = vec_add(vec_add(a, b), c);
    out[step] = vec_sub(vec_sub(b, c), d);
}

/* Width: six values into four. */
VOX_INLINE void result_row(vec out[WIDTH], const vec m[COLUMNS])
{
    const vec sum = vec_add(m[1], m[2]), difference = vec_sub(m[1], m[2]);

    out[0] = vec_add(vec_add(m[0], sum), vec_add(m[3], m[4]));
    out[1] = vec_fnma(vec_set1(2), m[4], vec_fma(vec_set1(0.5f), m[3], difference));
    out[2] = vec_fma(vec_set1(4), m[4], vec_fma(vec_set1(0.25f), m[3], sum));
    out[3] = vec_fnma(vec_set1(8), m[4],
                      vec_fma(vec_set1(0.125f), m[3], vec_add(difference, m[5])));
}

/* Height and width of one depth: [2][WIDTH] vectors. */
VOX_INLINE void result_plane(vec out[2 * WIDTH], const float *half)
{
    vec m[SLICE], a[2 * COLUMNS];

    VOX_UNROLL
    for (int i = 0; i < SLICE; i++)
        m[i] = vec_load(half + i * LANES);
    VOX_UNROLL
    for (int k = 0; k < COLUMNS; k++)
        result_axis(a + k, COLUMNS, m[k], m[COLUMNS + k], m[2 * COLUMNS + k],
                    m[3 * COLUMNS + k]);
    VOX_UNROLL
    for (int h = 0; h < 2; h++)
        result_row(out + WIDTH * h, a + COLUMNS * h);
}

/* The depth axis: two depths of a slice. */
VOX_INLINE void result_depths(float half[2 * SLICE * LANES], const float *m, int64_t plane)
{
    for (int i = 0; i < SLICE; i++) {
        vec a[2];

        result_axis(a, 1, vec_load(m + i * plane), vec_load(m + (SLICE + i) * plane),
                    vec_load(m + (2 * SLICE + i) * plane),
                    vec_load(m + (3 * SLICE + i) * plane));
        vec_store(half + i * LANES, a[0]);
        vec_store(half + (SLICE + i) * LANES, a[1]);
    }
}

static void put_voxel(vox_stream y, int64_t at, vec v, int add)
{
    vox_stream_store(y, at, add ? vec_add(vox_stream_load(y, at), v) : v);
}

static void result_tile(vox_stream y, const window *at, const float *m, int64_t plane,
                        vec bias, int add)
{
    float half[2 * SLICE * LANES];

    result_depths(half, m, plane);
    for (int d = 0; d < 2 && at->begin[0] + d < at->extent[0]; d++) {
        vec out[2 * WIDTH];

        result_plane(out, half + d * SLICE * LANES);
        VOX_UNROLL
        for (int i = 0; i < 2 * WIDTH; i++) {
            if (at->begin[1] + i / WIDTH < at->extent[1] &&
                at->begin[2] + i % WIDTH < at->extent[2])
                put_voxel(y, offset_of(at, d, i / WIDTH, i % WIDTH), vec_add(out[i], bias),
                          add);
        }
    }
}

void VOX_KERNEL(vox_winograd_result)(vox_stream y, vox_put put, const vox_winograd *w,
                                     vox_winograd_run r, const float *m, int64_t image,
                                     const float *bias)
{
    const int64_t *extent = w->pass.target.extent;
    vox_winograd_place p = vox_winograd_place_of(w, r.first);

    for (int64_t t = 0; t < r.count; t++, m += LANES, vox_winograd_step(w, &p)) {
        const window at = {
            {2 * p.at[0], 2 * p.at[1], WIDTH * p.at[2]},
            extent
        };

        result_tile(vox_stream_at(y, p.image * image), &at, m, r.plane, vec_load(bias),
                    put == VOX_ADD);
    }
}
