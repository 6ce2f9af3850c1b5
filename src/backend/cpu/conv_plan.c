/*
 * conv_plan: the arithmetic of the convolution passes (conv.h): phases of an axis, tiles,
 * regions, sizes of buffers. Nothing here depends on the kernel path but the lanes given.
 */
#include "backend/cpu/conv.h"

#include <string.h>

#include "backend/cpu/conv_math.h"
#include "base/error.h"

enum {
    TILE_VOXELS = 1024, /* per tile: enough for the weights to pay, small enough for L2 */
    LEAST_VOXELS = 16,  /* for many threads */
    TILE_BYTES = 1024 * 1024, /* of a tile's buffer, if one row fits */
    WEIGH_VOXELS = 512,       /* of which all taps and channels make use while it is near */
    WEIGH_TASKS = 64, /* parts times pairs aimed at; not the thread count: same bits */
    PART_TILES = 32 /* at least, where there are enough: a part costs a copy of the sums */
};

static size_t align64(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* ---- sides ---- */

vox_conv_side vox_conv_side_of(const vox_tensor *first, const vox_tensor *second)
{
    vox_conv_side s = {.lanes = vox_layout_lanes(first->layout),
                       .channels = first->shape.n[1],
                       .split = first->shape.n[1],
                       .voxels = 1};

    for (int i = 0; i < 3; i++) {
        s.extent[i] = first->shape.n[2 + i];
        s.voxels *= s.extent[i];
    }
    if (second && second->shape.rank >= 0)
        s.channels += second->shape.n[1];
    return s;
}

/* Is the side blocked as the path wants, or one plain tensor? */
static int side_fits(const vox_conv_side *s, int lanes)
{
    if (s->voxels < 1 || s->channels < 1 || s->voxels > INT32_MAX)
        return 0;
    return s->lanes == lanes || (s->lanes == 1 && s->channels == s->split);
}

/* Groups of `size` channels. */
static int64_t group_count(const vox_conv_side *s, int size)
{
    return ceil_div(s->split, size) + ceil_div(s->channels - s->split, size);
}

vox_conv_group vox_conv_group_of(const vox_conv_side *s, int size, int64_t k)
{
    const int64_t of_first = ceil_div(s->split, size);
    const int second = k >= of_first;
    const int64_t first = (second ? k - of_first : k) * size;
    const int64_t left = (second ? s->channels - s->split : s->split) - first;

    return (vox_conv_group){second, (int)max(0, min(left, size)), first,
                            second ? s->split + first : first};
}

int vox_conv_supports(const vox_conv_shape *s, int lanes)
{
    for (int i = 0; i < 3; i++) {
        if (s->kernel[i] < 1 || s->kernel[i] > VOX_CONV_KERNEL || s->stride[i] < 1 ||
            s->stride[i] > VOX_CONV_STRIDE || s->pad[i] < 0 || s->pad[i] >= s->kernel[i])
            return 0;
    }
    if (s->coarse.lanes == 1 && s->coarse.channels > lanes)
        return 0; /* its copies have one block */
    return s->images > 0 && side_fits(&s->fine, lanes) && side_fits(&s->coarse, lanes);
}

/* ---- axes ---- */

static void add_tap(vox_conv_axis *x, vox_conv_phase *phase, int shift, int index)
{
    phase->shift[phase->taps] = shift;
    phase->index[phase->taps++] = index;
    x->low = shift < x->low ? shift : x->low;
    x->high = shift > x->high ? shift : x->high;
}

static vox_conv_axis gather_axis(const vox_conv_shape *s, int i)
{
    vox_conv_axis x = {.kernel = s->kernel[i],
                       .source_step = s->stride[i],
                       .target_step = 1,
                       .source = s->fine.extent[i],
                       .target = s->coarse.extent[i],
                       .phases = 1};

    x.low = x.high = -s->pad[i];
    x.phase[0].count = x.target;
    for (int a = 0; a < x.kernel; a++)
        add_tap(&x, &x.phase[0], a - s->pad[i], a);
    return x;
}

/* Target voxel first + stride * i takes kernel element a from source voxel i + shift where
 * first + pad - a = stride * shift. */
static vox_conv_axis spread_axis(const vox_conv_shape *s, int i)
{
    const int stride = s->stride[i];
    vox_conv_axis x = {.kernel = s->kernel[i],
                       .source_step = 1,
                       .target_step = stride,
                       .source = s->coarse.extent[i],
                       .target = s->fine.extent[i],
                       .phases = stride};

    for (int first = 0; first < stride; first++) {
        vox_conv_phase *phase = &x.phase[first];

        phase->first = first;
        phase->count = max(0, ceil_div(x.target - first, stride));
        for (int a = x.kernel - 1; a >= 0; a--) {
            if ((first + s->pad[i] - a) % stride == 0)
                add_tap(&x, phase, (first + s->pad[i] - a) / stride, a);
        }
    }
    return x;
}

/* Longest phase: the first. */
static int64_t axis_count(const vox_conv_axis *x)
{
    return x->phase[0].count;
}

/* Which of the phase's taps read inside the volume at voxel i: one bit each. */
static unsigned inside(const vox_conv_axis *x, const vox_conv_phase *phase, int64_t i)
{
    unsigned bits = 0;

    for (int t = 0; t < phase->taps; t++) {
        const int64_t at = x->source_step * i + phase->shift[t];

        bits |= (unsigned)(at >= 0 && at < x->source) << t;
    }
    return bits;
}

/* End of the run of voxels from i on that have i's taps. */
static int64_t run_end(const vox_conv_axis *x, const vox_conv_phase *phase, int64_t i,
                       int64_t end)
{
    const unsigned bits = inside(x, phase, i);

    do {
        i++;
    } while (i < end && inside(x, phase, i) == bits);
    return i;
}

/* Most runs that a tile can meet in a phase. */
static int64_t run_count(const vox_conv_axis *x, const vox_conv_phase *phase)
{
    int64_t runs = 0;

    for (int64_t i = 0; i < phase->count; i = run_end(x, phase, i, phase->count))
        runs++;
    return runs;
}

/* ---- tiles ---- */

static void size_tile(vox_conv_pass *p)
{
    const vox_conv_axis *w = &p->axis[2];

    for (int i = 0; i < 2; i++) {
        const vox_conv_axis *x = &p->axis[i];

        p->rows[i] =
            min(x->source, x->source_step * (p->tile[i] - 1) + x->high - x->low + 1);
        p->tiles[i] = ceil_div(axis_count(x), p->tile[i]);
    }
    p->columns = ceil_div(w->source_step * (axis_count(w) - 1) + w->high - w->low + 1,
                          w->source_step);
    p->plane = p->columns * p->chunk;
    p->row = p->plane * w->source_step;
    p->chunk_size = p->rows[0] * p->rows[1] * p->row;
    p->tile_size = p->chunk_size * p->chunks;
}

static int64_t tile_voxels(const vox_conv_pass *p)
{
    return p->tile[0] * p->tile[1] * axis_count(&p->axis[2]);
}

/* Grow the tile row by row, nearly square in depth and height, as the least is then read
 * around it; then make all tiles about equal. */
static void choose_tile(vox_conv_pass *p, int64_t voxels, int64_t bytes)
{
    p->tile[0] = p->tile[1] = 1;
    for (;;) {
        int i = p->tile[0] < p->tile[1] ? 0 : 1;

        if (p->tile[i] == axis_count(&p->axis[i]))
            i = !i;
        if (p->tile[i] == axis_count(&p->axis[i]))
            break;
        p->tile[i]++;
        size_tile(p);
        if (tile_voxels(p) > voxels || p->tile_size * (int64_t)sizeof(float) > bytes) {
            p->tile[i]--;
            break;
        }
    }
    for (int i = 0; i < 2; i++) {
        const int64_t count = axis_count(&p->axis[i]);

        p->tile[i] = ceil_div(count, ceil_div(count, p->tile[i]));
    }
    size_tile(p);
}

static int64_t tile_count(const vox_conv_pass *p)
{
    return p->images * p->tiles[0] * p->tiles[1];
}

/* Enough tasks for the threads: first by sharing tiles, then by smaller ones. Results do
 * not depend on it: every voxel's sum runs over taps and channels in one order. */
static void share_out(vox_conv_pass *p, int threads)
{
    const int64_t wanted = threads > 1 ? 4 * (int64_t)threads : 1;

    for (int64_t voxels = TILE_VOXELS;; voxels /= 2) {
        choose_tile(p, voxels, TILE_BYTES);
        p->splits = min(p->pairs, ceil_div(wanted, tile_count(p)));
        if (tile_count(p) * p->splits >= wanted || voxels <= LEAST_VOXELS)
            return;
    }
}

/* Room for the regions of a tile and their taps. */
static void count_regions(vox_conv_pass *p)
{
    int64_t runs[2] = {0, 0}, taps[3] = {0, 0, 0};

    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < p->axis[i].phases; k++) {
            const vox_conv_phase *phase = &p->axis[i].phase[k];
            const int64_t n = i < 2 ? run_count(&p->axis[i], phase) : 1;

            taps[i] += n * phase->taps;
            if (i < 2)
                runs[i] += n;
        }
    }
    p->regions = runs[0] * runs[1] * p->axis[2].phases;
    p->region_taps = taps[0] * taps[1] * taps[2];
}

static void size_worker(vox_conv_pass *p, int lanes)
{
    const int plain = p->target.lanes == 1, vectors = p->target.bf16 ? 2 : plain;

    VOX_ASSERT(!plain || !p->target.bf16); /* put_plain writes f32 */
    if (vectors > 0)
        p->copy_size = vectors * p->tile[0] * p->axis[0].target_step * p->tile[1] *
                       p->axis[1].target_step * p->axis[2].target * lanes;
    p->worker_bytes = align64((size_t)p->tile_size * sizeof(float)) +
                      align64((size_t)p->copy_size * sizeof(float)) +
                      align64((size_t)p->regions * sizeof(vox_conv_region)) +
                      align64((size_t)p->region_taps * sizeof(vox_conv_tap));
}

/* What gather, spread and weigh have in common, once sides and axes are there. */
static void start_pass(vox_conv_pass *p, const vox_conv_shape *s, int lanes, int chunk)
{
    p->images = s->images;
    p->taps = s->kernel[0] * s->kernel[1] * s->kernel[2];
    p->chunk = p->source.lanes == 1 ? 1 : chunk;
    p->chunks = group_count(&p->source, p->chunk);
    p->pairs = ceil_div(group_count(&p->target, lanes), 2);
    p->splits = 1;
    p->weight_bytes = align64(
        (size_t)(p->pairs * 2 * lanes * p->chunks * p->chunk * p->taps) * sizeof(float));
    count_regions(p);
}

static void start_gather(vox_conv_pass *p, const vox_conv_shape *s, int lanes, int chunk)
{
    memset(p, 0, sizeof *p);
    p->source = s->fine;
    p->target = s->coarse;
    for (int i = 0; i < 3; i++)
        p->axis[i] = gather_axis(s, i);
    start_pass(p, s, lanes, chunk);
    p->weight_source = p->taps;
    p->weight_target = p->taps * s->fine.channels;
}

static void start_spread(vox_conv_pass *p, const vox_conv_shape *s, int lanes, int chunk)
{
    memset(p, 0, sizeof *p);
    p->source = s->coarse;
    p->target = s->fine;
    for (int i = 0; i < 3; i++)
        p->axis[i] = spread_axis(s, i);
    start_pass(p, s, lanes, chunk);
    p->weight_source = p->taps * s->fine.channels;
    p->weight_target = p->taps;
}

void vox_conv_plan_blocks(vox_conv_pass *p, const vox_conv_shape *s, int spread, int lanes)
{
    if (spread)
        start_spread(p, s, lanes, lanes);
    else
        start_gather(p, s, lanes, lanes);
}

void vox_conv_plan_gather(vox_conv_pass *p, const vox_conv_shape *s, int lanes, int threads)
{
    start_gather(p, s, lanes, VOX_CONV_CHUNK);
    share_out(p, threads);
    size_worker(p, lanes);
}

void vox_conv_plan_spread(vox_conv_pass *p, const vox_conv_shape *s, int lanes, int threads)
{
    start_spread(p, s, lanes, VOX_CONV_CHUNK);
    share_out(p, threads);
    size_worker(p, lanes);
}

/* Few parts where they are short, as their sums are read again at the end; but several. */
static int64_t parts_of(const vox_conv_pass *p)
{
    const int64_t tiles = tile_count(p);
    const int64_t enough = max(tiles / PART_TILES, WEIGH_TASKS / 4 / p->pairs);

    return min(tiles, max(1, min(enough, WEIGH_TASKS / p->pairs)));
}

/* Does every kernel element read voxels of its own, all inside, one or two apart? */
static int fits_in_place(const vox_conv_shape *s)
{
    for (int i = 0; i < 3; i++) {
        if (s->kernel[i] != s->stride[i] || s->pad[i] != 0)
            return 0;
    }
    return s->fine.lanes > 1 && !s->fine_bf16 && s->stride[2] <= 2;
}

/* The volume itself as the tile. */
static void lie_in_place(vox_conv_pass *p)
{
    p->plane = p->source.lanes;
    p->row = p->source.extent[2] * p->source.lanes;
    p->rows[1] = p->source.extent[1];
    p->chunk_size = p->tile_size = 0;
}

void vox_conv_plan_weigh(vox_conv_weigh *p, const vox_conv_shape *s, int lanes, int threads)
{
    vox_conv_pass *pass = &p->pass;

    start_gather(pass, s, lanes, VOX_CONV_CHUNK);
    choose_tile(pass, WEIGH_VOXELS, TILE_BYTES);
    p->parts = parts_of(pass);
    p->chunk_split =
        threads > 1 ? ceil_div(2 * (int64_t)threads, p->parts * pass->pairs) : 1;
    p->chunk_split = min(p->chunk_split, pass->chunks);
    p->coarse_size = s->coarse.lanes == 1 ? tile_voxels(pass) * lanes : 0;
    p->in_place = fits_in_place(s);
    if (p->in_place)
        lie_in_place(pass);
    p->partial_bytes = pass->weight_bytes * (size_t)p->parts;
    p->worker_bytes = align64((size_t)pass->tile_size * sizeof(float)) +
                      align64((size_t)p->coarse_size * sizeof(float));
}

/* ---- tiles and regions while running ---- */

vox_conv_box vox_conv_tile_box(const vox_conv_pass *p, int64_t index)
{
    vox_conv_box b;
    const int64_t place[2] = {index / p->tiles[1] % p->tiles[0], index % p->tiles[1]};

    b.image = index / p->tiles[1] / p->tiles[0];
    for (int i = 0; i < 2; i++) {
        const vox_conv_axis *x = &p->axis[i];

        b.begin[i] = place[i] * p->tile[i];
        b.end[i] = min(b.begin[i] + p->tile[i], axis_count(x));
        b.low[i] = max(0, x->source_step * b.begin[i] + x->low);
        b.high[i] = min(x->source, x->source_step * (b.end[i] - 1) + x->high + 1);
    }
    return b;
}

/* Offset in a chunk of the tile of the source row and column that a tap reads at voxel 0 of
 * each axis. */
static int64_t tap_source(const vox_conv_pass *p, const int64_t low[2], int d, int h, int w)
{
    const int column = w - p->axis[2].low;
    const int step = p->axis[2].source_step;

    return ((d - low[0]) * p->rows[1] + h - low[1]) * p->row + column % step * p->plane +
           column / step * p->chunk;
}

/* The taps of a region, relative to its first. */
static void fill_taps(const vox_conv_pass *p, const vox_conv_box *b, vox_conv_region *r,
                      vox_conv_tap *tap, const unsigned bits[2])
{
    const vox_conv_phase *d = r->phase[0], *h = r->phase[1], *w = r->phase[2];

    r->tap = tap;
    r->taps = 0;
    for (int i = 0; i < d->taps * h->taps * w->taps; i++) {
        const int a = i / w->taps / h->taps, e = i / w->taps % h->taps, o = i % w->taps;
        const int64_t source = tap_source(p, b->low, d->shift[a], h->shift[e], w->shift[o]);
        const int64_t index =
            ((int64_t)d->index[a] * p->axis[1].kernel + h->index[e]) * p->axis[2].kernel +
            w->index[o];

        if (!(bits[0] >> a & bits[1] >> e & 1))
            continue;
        if (r->taps == 0)
            r->origin = source;
        tap[r->taps++] = (vox_conv_tap){source - r->origin, index};
    }
}

/* Regions of one choice of phases. */
static int cut_phases(const vox_conv_pass *p, const vox_conv_box *b,
                      const vox_conv_phase *const phase[3], vox_conv_region *out,
                      vox_conv_tap **tap)
{
    const int64_t end[2] = {min(b->end[0], phase[0]->count),
                            min(b->end[1], phase[1]->count)};
    int n = 0;

    for (int64_t d = b->begin[0], d1; d < end[0]; d = d1) {
        d1 = run_end(&p->axis[0], phase[0], d, end[0]);
        for (int64_t h = b->begin[1], h1; h < end[1]; h = h1) {
            const unsigned bits[2] = {inside(&p->axis[0], phase[0], d),
                                      inside(&p->axis[1], phase[1], h)};

            h1 = run_end(&p->axis[1], phase[1], h, end[1]);
            out[n] = (vox_conv_region){
                {phase[0], phase[1], phase[2]},
                {d,        h               },
                {d1,        h1},
                0, 0, NULL
            };
            fill_taps(p, b, &out[n], *tap, bits);
            *tap += out[n++].taps;
        }
    }
    return n;
}

int vox_conv_regions(const vox_conv_pass *p, const vox_conv_box *b, vox_conv_region *out,
                     vox_conv_tap *tap)
{
    const vox_conv_axis *x = p->axis;
    int n = 0;

    for (int i = 0; i < x[0].phases * x[1].phases * x[2].phases; i++) {
        const vox_conv_phase *const phase[3] = {
            &x[0].phase[i / x[2].phases / x[1].phases],
            &x[1].phase[i / x[2].phases % x[1].phases],
            &x[2].phase[i % x[2].phases],
        };

        if (phase[2]->count > 0)
            n += cut_phases(p, b, phase, out + n, &tap);
    }
    return n;
}

size_t vox_conv_pass_bytes(const vox_conv_pass *p, int threads)
{
    return p->weight_bytes + (size_t)threads * p->worker_bytes;
}

size_t vox_conv_weigh_bytes(const vox_conv_weigh *p, int threads)
{
    return p->partial_bytes + (size_t)threads * p->worker_bytes;
}

size_t vox_channel_sums_bytes(const vox_conv_side *s, int64_t images)
{
    const int64_t channels = ceil_div(s->channels, s->lanes) * s->lanes;

    return (size_t)(ceil_div(s->voxels, VOX_CHANNEL_SUMS_TILE) * images * channels) *
           sizeof(double);
}
