/*
 * bench preprocess: what preprocessing does to an image, step by step, on one thread.
 *
 * A step is timed by the CPU time of the thread, so that other processes and slow disks do
 * not count. `resample` normalises in the same go, as preprocessing does; `normalise` is
 * what happens instead where the resolution is kept.
 */
#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/host.h"
#include "base/mem.h"
#include "cli/bench.h"
#include "cli/report.h"
#include "data/store.h"
#include "image/resample.h"
#include "image/stored.h"

enum { CROP = 160 };

/* One file and what was made of it so far; memory is kept, as preprocessing keeps it. */
typedef struct bench {
    const char *path;
    int repeat;
    double *seconds;
    char store[VOX_CODECS][512];
    vox_stored image;
    vox_grid grid; /* the box of what is not zero */
    vox_stats stats;
    vox_norm_map map;
    int64_t m[3]; /* of the result */
    int thick;
    vox_scratch voxels, crop;
    vox_resample_space space;
    vox_store_space store_space;
} bench;

static void release(bench *b)
{
    vox_stored_release(&b->image);
    vox_scratch_release(&b->voxels);
    vox_scratch_release(&b->crop);
    vox_resample_space_release(&b->space);
    vox_store_space_release(&b->store_space);
    vox_free(b->seconds);
}

static int step_read(bench *b)
{
    return vox_stored_read(&b->image, b->path);
}

static int step_crop(bench *b)
{
    const vox_grid whole = vox_stored_grid(&b->image, 0);
    vox_box box;

    VOX_TRY(vox_grid_box(&box, &whole));
    b->grid = vox_grid_part(&whole, &box);
    return VOX_OK;
}

static int step_statistics(bench *b)
{
    b->stats = vox_grid_stats(&b->grid);
    return vox_norm_map_of(&b->map, VOX_NORM_ZSCORE, &b->stats);
}

static int into(bench *b, const int64_t m[3], int thick)
{
    const float range[2] = {b->stats.lo, b->stats.hi};
    float *out = vox_scratch_need(&b->voxels, (size_t)(m[0] * m[1] * m[2]), sizeof *out);

    return out ? vox_grid_resample(out, &b->grid, m, thick, &b->map, range, &b->space)
               : VOX_E_NOMEM;
}

static int step_normalise(bench *b)
{
    return into(b, b->grid.n, -1);
}

static int step_resample(bench *b)
{
    return into(b, b->m, b->thick);
}

static int write_with(bench *b, vox_codec codec)
{
    const int64_t shape[4] = {1, b->m[0], b->m[1], b->m[2]};
    const vox_store_cfg cfg = {codec, 0};

    return vox_store_write(b->store[codec], b->voxels.data, shape, &cfg, &b->store_space);
}

/* A box of CROP^3 from the middle, or what there is of it. */
static int read_with(bench *b, vox_codec codec)
{
    int64_t lo[4] = {0}, n[4] = {1};
    vox_store *s;
    float *out;
    int rc;

    for (int a = 0; a < 3; a++) {
        n[1 + a] = b->m[a] < CROP ? b->m[a] : CROP;
        lo[1 + a] = (b->m[a] - n[1 + a]) / 2;
    }
    out = vox_scratch_need(&b->crop, (size_t)(n[1] * n[2] * n[3]), sizeof *out);
    if (!out)
        return VOX_E_NOMEM;
    rc = vox_store_open(&s, b->store[codec]);
    if (rc == VOX_OK)
        rc = vox_store_read(s, lo, n, out, n);
    vox_store_close(s);
    return rc;
}

static int step_write_zstd(bench *b)
{
    return write_with(b, VOX_CODEC_ZSTD);
}

static int step_write_lz4(bench *b)
{
    return write_with(b, VOX_CODEC_LZ4);
}

static int step_crop_zstd(bench *b)
{
    return read_with(b, VOX_CODEC_ZSTD);
}

static int step_crop_lz4(bench *b)
{
    return read_with(b, VOX_CODEC_LZ4);
}

/* Which voxels a step is measured by. */
enum { AS_READ, CROPPED, MADE, OF_CROP };

static const struct {
    const char *name;
    int (*run)(bench *b);
    int voxels;
} steps[] = {
    {"read",           step_read,       AS_READ},
    {"crop",           step_crop,       AS_READ},
    {"statistics",     step_statistics, CROPPED},
    {"normalise",      step_normalise,  CROPPED},
    {"resample",       step_resample,   CROPPED},
    {"write zstd",     step_write_zstd, MADE   },
    {"write lz4",      step_write_lz4,  MADE   },
    {"read crop zstd", step_crop_zstd,  OF_CROP},
    {"read crop lz4",  step_crop_lz4,   OF_CROP},
};

static double voxels_of(const bench *b, int what)
{
    double n = 1;

    for (int a = 0; a < 3; a++) {
        const int64_t part = b->m[a] < CROP ? b->m[a] : CROP;

        n *= (double)(what == AS_READ   ? b->image.info.shape.n[1 + a]
                      : what == CROPPED ? b->grid.n[a]
                      : what == MADE    ? b->m[a]
                                        : part);
    }
    return n;
}

/* Megabytes are those of the voxels: as stored before they are resampled, else floats. */
static int tell(bench *b, int step)
{
    const int what = steps[step].voxels;
    const size_t size = what <= CROPPED ? vox_voxel_size(b->image.voxel) : sizeof(float);
    const double mbytes = 1e-6 * voxels_of(b, what) * (double)size;
    const double median = vox_bench_median(b->seconds, b->repeat);
    json_object *o = json_object_new_object();

    vox_report_text(o, "bench", "preprocess");
    vox_report_text(o, "file", vox_path_base(b->path));
    vox_report_text(o, "step", steps[step].name);
    vox_report_ints(o, "shape", b->image.info.shape.n + 1, 3);
    vox_report_ints(o, "shape_made", b->m, 3);
    vox_report_int(o, "repeat", b->repeat);
    vox_report_round(o, "seconds", median, 6);
    vox_report_round(o, "seconds_min", b->seconds[0], 6);
    vox_report_round(o, "mbytes", mbytes, 3);
    vox_report_round(o, "mbytes_per_s", mbytes / median, 1);
    vox_report_round(o, "rss_mib", (double)vox_host_peak() / (1 << 20), 1);
    return vox_report_json(o);
}

/* The first turn, which touches the memory, is not counted. */
static int measure(bench *b, int step)
{
    VOX_TRY(steps[step].run(b));
    for (int i = 0; i < b->repeat; i++) {
        const double start = vox_clock_thread();

        VOX_TRY(steps[step].run(b));
        b->seconds[i] = vox_clock_thread() - start;
    }
    return VOX_OK;
}

/* The target is 1 mm, as of the configuration onemmiso. */
static int find_shape(bench *b)
{
    static const double one[3] = {1, 1, 1};

    b->thick = vox_resample_thick_axis(b->image.info.spacing, one);
    return vox_resample_shape(b->m, b->grid.n, b->image.info.spacing, one);
}

/* What is made is told with every step, so the way is gone once before. */
static int measure_file(bench *b)
{
    VOX_TRY(step_read(b));
    VOX_TRY(step_crop(b));
    VOX_TRY(find_shape(b));
    for (int s = 0; s < VOX_COUNT(steps); s++) {
        VOX_TRY(measure(b, s));
        VOX_TRY(tell(b, s));
    }
    return VOX_OK;
}

static int make_folder(char folder[256])
{
    const char *tmp = getenv("TMPDIR");

    if (snprintf(folder, 256, "%s/voxmind-bench-XXXXXX", tmp && *tmp ? tmp : "/tmp") >= 256)
        return vox_fail(VOX_E_ARG, "TMPDIR is too long a name");
    if (!mkdtemp(folder))
        return vox_fail_errno(VOX_E_IO, "%s: cannot make the folder", folder);
    return VOX_OK;
}

int vox_bench_preprocess(const vox_bench_cfg *cfg, const vox_common *common, int argc,
                         char **argv)
{
    bench b = {.repeat = cfg->repeat};
    char folder[256];
    int rc;

    (void)common;
    if (argc == 0)
        return vox_fail(VOX_E_USAGE, "bench preprocess wants images");
    VOX_TRY(make_folder(folder));
    for (int c = 0; c < VOX_CODECS; c++)
        snprintf(b.store[c], sizeof b.store[c], "%s/%s.b2nd", folder, vox_codec_name(c));
    b.seconds = vox_alloc((size_t)cfg->repeat, sizeof *b.seconds);
    rc = b.seconds ? VOX_OK : VOX_E_NOMEM;
    for (int i = 0; i < argc && rc == VOX_OK; i++) {
        b.path = argv[i];
        rc = measure_file(&b);
    }
    for (int c = 0; c < VOX_CODECS; c++)
        unlink(b.store[c]);
    rmdir(folder);
    release(&b);
    return rc;
}
