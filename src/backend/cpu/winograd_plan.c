/*
 * winograd_plan: which convolutions go by winograd.h, and the sizes of their buffers.
 * Nothing here depends on the kernel path but the lanes given.
 */
#include "backend/cpu/winograd.h"

#include <string.h>

#include "backend/cpu/conv_math.h"

enum {
    PLANES = VOX_WINOGRAD_PLANES,
    WORKER_BYTES = 640 * 1024, /* V and M of a run: they should stay in L2 */
    WEIGH_BYTES = 1280 * 1024, /* V and Z: longer runs move dU less often */
    RUN_LEAST = 12,            /* tiles: below that the weights do not pay */
    RUN_MOST = 48,
    WEIGH_DEEP = 128,               /* tiles: up to here all at once is faster */
    PARTS_BYTES = 16 * 1024 * 1024, /* of all dU's */
    PARTS = 64,
    PARTS_ANYHOW = 16, /* of short ones */
    PART_RUNS = 24     /* at least of more: a part costs a copy of dU */
};

/* ---- which ---- */

int vox_winograd_supports(const vox_conv_shape *s, int lanes)
{
    for (int i = 0; i < 3; i++) {
        if (s->kernel[i] != 3 || s->stride[i] != 1 || s->pad[i] > 2)
            return 0;
    }
    return s->fine.lanes == lanes && s->coarse.lanes == lanes;
}

/* Channels of both tensors of a side, in whole groups of `size`. */
static double channels_of(const vox_conv_side *s, int size)
{
    return (double)(size *
                    (ceil_div(s->split, size) + ceil_div(s->channels - s->split, size)));
}

/* Tiles on an axis of so many target voxels. */
static int64_t count_of(int axis, int64_t extent)
{
    return ceil_div(extent, axis == 2 ? VOX_WINOGRAD_WIDTH : 2);
}

static double tiles_of(const vox_conv_shape *s)
{
    double n = (double)s->images;

    for (int i = 0; i < 3; i++)
        n *= (double)count_of(i, s->coarse.extent[i]);
    return n;
}

/*
 * Times in products of one vector. Directly a target voxel takes 27 per pair of channels,
 * tiled a tile takes one per plane; its transforms take as many again as ten more channels
 * would, and those of the weights as many as so many tiles.
 */
static int pays(const vox_conv_shape *s, const vox_conv_side *source,
                const vox_conv_side *target, int lanes, double weights)
{
    const double transform = 10, tiles = tiles_of(s);
    const double a = channels_of(source, lanes), b = channels_of(target, lanes);
    const double voxels = (double)(s->images * s->coarse.voxels);
    const double direct = 27 * voxels * channels_of(source, VOX_CONV_CHUNK) * b;
    const double tiled = PLANES * (tiles * (a * b + transform * (a + b)) + weights * a * b);

    return vox_winograd_supports(s, lanes) && tiled < direct;
}

int vox_winograd_pays(const vox_conv_shape *s, int spread, int lanes)
{
    return spread ? pays(s, &s->coarse, &s->fine, lanes, 8)
                  : pays(s, &s->fine, &s->coarse, lanes, 8);
}

int vox_winograd_weigh_pays(const vox_conv_shape *s, int lanes)
{
    return pays(s, &s->fine, &s->coarse, lanes, 22);
}

/* ---- sizes ---- */

static void start(vox_winograd *w, const vox_conv_shape *s, int spread, int lanes)
{
    memset(w, 0, sizeof *w);
    vox_conv_plan_blocks(&w->pass, s, spread, lanes);
    w->flip = spread;
    w->tiles = s->images;
    for (int i = 0; i < 3; i++) {
        w->count[i] = count_of(i, w->pass.target.extent[i]);
        w->tiles *= w->count[i];
    }
}

static int64_t packed_size(int lanes)
{
    return (int64_t)VOX_WINOGRAD_TAPS * lanes * 2 * lanes;
}

/* Floats of a plane of `rows` rows of `columns`, with the distance to the next. */
static int64_t plane_size(int64_t rows, int64_t columns)
{
    return rows * columns + VOX_WINOGRAD_PAD;
}

/* Tiles of a run that needs `floats` per tile and plane, in whole register blocks (12 is a
 * multiple of all paths'). */
static int64_t run_length(int64_t bytes, int64_t floats, int64_t tiles)
{
    const int64_t fit = bytes / (PLANES * floats * (int64_t)sizeof(float));
    const int64_t run = max(RUN_LEAST, min(RUN_MOST, fit) / RUN_LEAST * RUN_LEAST);

    return min(run, ceil_div(tiles, RUN_LEAST) * RUN_LEAST);
}

void vox_winograd_plan_sum(vox_winograd_sum *p, const vox_conv_shape *s, int spread,
                           int lanes, int threads)
{
    vox_winograd *w = &p->w;
    const int64_t wanted = threads > 1 ? 4 * (int64_t)threads : 1;
    int64_t blocks, pairs, room;

    memset(p, 0, sizeof *p);
    start(w, s, spread, lanes);
    blocks = w->pass.chunks;
    pairs = w->pass.pairs;
    p->deep = w->tiles <= pairs * 2 * lanes;
    p->run = run_length(WORKER_BYTES, (blocks + 2) * lanes,
                        min(w->tiles, ceil_div(w->tiles, wanted)));
    if (p->deep)
        p->run =
            run_length(WORKER_BYTES, 4 * lanes, ceil_div(w->tiles, max(1, wanted / pairs)));
    p->runs = ceil_div(w->tiles, p->run);
    p->splits = min(p->runs, ceil_div(wanted, pairs));
    room = ceil_div(p->run, RUN_LEAST) * RUN_LEAST;
    p->v_plane = plane_size(blocks * (p->deep ? w->tiles + RUN_LEAST : room), lanes);
    p->m_plane = plane_size(2 * room, lanes);
    p->u_plane = plane_size(blocks * lanes, 2 * lanes);
    p->v_size = PLANES * p->v_plane;
    p->m_size = PLANES * p->m_plane;
    p->u_size = PLANES * p->u_plane;
    p->shared_bytes = (size_t)(p->deep ? p->v_size : pairs * p->u_size) * sizeof(float);
    p->worker_bytes =
        (size_t)((p->deep ? p->u_size : p->v_size) + p->m_size + packed_size(lanes)) *
        sizeof(float);
}

/* Buffers of a run of tiles of both sides. */
static void size_run(vox_winograd_weigh *p, int lanes)
{
    p->v_plane = plane_size(p->w.pass.chunks * p->run, lanes);
    p->z_plane = plane_size(2 * p->w.pass.pairs * p->run, lanes);
    p->v_size = PLANES * p->v_plane;
    p->z_size = PLANES * p->z_plane;
}

static void plan_weigh_deep(vox_winograd_weigh *p, int lanes, int threads)
{
    const int64_t wanted = threads > 1 ? 4 * (int64_t)threads : 1;

    p->run = p->w.tiles;
    size_run(p, lanes);
    p->splits = min(p->w.pass.chunks, ceil_div(wanted, p->w.pass.pairs));
    p->u_plane = plane_size(lanes, 2 * lanes);
    p->u_size = PLANES * p->u_plane;
    p->shared_bytes = (size_t)(p->v_size + p->z_size) * sizeof(float);
    p->worker_bytes = (size_t)(p->u_size + packed_size(lanes)) * sizeof(float);
}

static void plan_weigh_wide(vox_winograd_weigh *p, int lanes, int threads)
{
    const int64_t blocks = p->w.pass.chunks, pairs = p->w.pass.pairs;
    int64_t bytes, runs;

    p->run = run_length(WEIGH_BYTES, (blocks + 2 * pairs) * lanes, p->w.tiles);
    size_run(p, lanes);
    p->u_plane = plane_size(blocks * lanes, 2 * lanes);
    p->u_size = PLANES * p->u_plane;
    bytes = pairs * p->u_size * (int64_t)sizeof(float);
    runs = ceil_div(p->w.tiles, p->run);
    p->parts = min(PARTS, max(1, PARTS_BYTES / bytes));
    p->parts = min(p->parts, max(runs / PART_RUNS, min(runs, PARTS_ANYHOW)));
    p->parts -= p->parts > 1 ? p->parts % 2 : 0; /* for two threads */
    p->splits = threads > 1 ? min(pairs, ceil_div(2 * (int64_t)threads, p->parts)) : 1;
    p->cuts = max(1, min(blocks, threads / (p->parts * p->splits)));
    p->shared_bytes = (size_t)(p->parts * bytes);
    p->worker_bytes = (size_t)(p->v_size + p->z_size + packed_size(lanes)) * sizeof(float);
}

void vox_winograd_plan_weigh(vox_winograd_weigh *p, const vox_conv_shape *s, int lanes,
                             int threads)
{
    memset(p, 0, sizeof *p);
    start(&p->w, s, 0, lanes);
    p->deep = p->w.tiles <= WEIGH_DEEP;
    if (p->deep)
        plan_weigh_deep(p, lanes, threads);
    else
        plan_weigh_wide(p, lanes, threads);
}

size_t vox_winograd_sum_bytes(const vox_winograd_sum *p, int threads)
{
    return p->shared_bytes + (size_t)threads * p->worker_bytes;
}

size_t vox_winograd_weigh_bytes(const vox_winograd_weigh *p, int threads)
{
    return p->shared_bytes + (size_t)threads * p->worker_bytes;
}
