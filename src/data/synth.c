/* synth: ellipsoids with a soft edge, textured by a sum of waves. */
#include "data/synth.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "base/stop.h"

enum { WAVES = 12, BLOBS = 8 };

/* An ellipsoid: 1 deep inside, 0 outside, `soft` relative radii between. */
typedef struct blob {
    double centre[3], radius[3], soft, value;
} blob;

/* cos(k.p + phase) is the real part of a product over axes: tables make it cheap. */
typedef struct wave {
    double k[3], phase, amplitude;
} wave;

typedef struct scene {
    int64_t n[3];
    double spacing[3]; /* mm */
    double extent[3];
    wave wave[WAVES];
    blob skin, skull, brain, blob[BLOBS]; /* blob: ventricles and lesions in the brain */
    double noise;
} scene;

static void draw_grid(scene *s, vox_rng *r, double size)
{
    const int thick = (int)vox_rng_below(r, 4); /* 3: no thick axis */
    const double fine = vox_rng_range(r, 1.2, 2.2);

    for (int i = 0; i < 3; i++) {
        const double mm = fine * (i == thick ? vox_rng_range(r, 1.2, 2.0) : 1.0);

        s->spacing[i] = floor(mm * 100) / 100;
        s->extent[i] = vox_rng_range(r, 150, 190) * size;
        s->n[i] = (int64_t)(s->extent[i] / s->spacing[i]);
        s->n[i] = s->n[i] < 4 ? 4 : s->n[i];
    }
}

static blob shell(const scene *s, vox_rng *r, double scale, double value)
{
    blob b = {.soft = 0.06, .value = value};

    for (int i = 0; i < 3; i++) {
        b.centre[i] = s->extent[i] / 2;
        b.radius[i] = s->extent[i] * 0.46 * scale * vox_rng_range(r, 0.97, 1.0);
    }
    return b;
}

static blob small_blob(const scene *s, vox_rng *r, int i)
{
    blob b = {.soft = 0.25, .value = i < 2 ? -450 : vox_rng_range(r, -250, 450)};

    for (int k = 0; k < 3; k++) {
        const double far = i < 2 ? 0.05 : 0.2;

        b.centre[k] = s->extent[k] * (0.5 + vox_rng_range(r, -far, far));
        b.radius[k] = s->extent[k] * vox_rng_range(r, 0.04, i < 2 ? 0.14 : 0.08);
    }
    if (i < 2)
        b.centre[2] += s->extent[2] * (i ? 0.06 : -0.06); /* two ventricles, side by side */
    return b;
}

static void draw_scene(scene *s, uint64_t seed, int64_t number, double size)
{
    vox_rng r = vox_rng_at(seed, VOX_STREAM("synth"), (uint64_t)number);

    draw_grid(s, &r, size);
    s->skin = shell(s, &r, 1.0, 700);
    s->skull = shell(s, &r, 0.93, 120);
    s->brain = shell(s, &r, 0.84, vox_rng_range(&r, 550, 650));
    for (int i = 0; i < BLOBS; i++)
        s->blob[i] = small_blob(s, &r, i);
    for (int w = 0; w < WAVES; w++) {
        const double period = vox_rng_range(&r, 9, 60) * size;
        double u[3], norm = 1e-9;

        for (int i = 0; i < 3; i++) {
            u[i] = vox_rng_normal(&r);
            norm += u[i] * u[i];
        }
        for (int i = 0; i < 3; i++)
            s->wave[w].k[i] = 6.283185307179586 / period * u[i] / sqrt(norm);
        s->wave[w].phase = vox_rng_range(&r, 0, 6.283185307179586);
        s->wave[w].amplitude = 2.2 * sqrt(period / size);
    }
    s->noise = vox_rng_range(&r, 4, 12);
}

static double inside(const blob *b, const double p[3])
{
    double d = 0, t;

    for (int i = 0; i < 3; i++) {
        const double u = (p[i] - b->centre[i]) / b->radius[i];

        d += u * u;
    }
    t = (1 - sqrt(d)) / b->soft; /* 0 on the surface */
    return t <= 0 ? 0 : t >= 1 ? 1 : t * t * (3 - 2 * t);
}

/* The texture along one row of voxels. */
static void add_waves(double *row, const scene *s, int64_t z, int64_t y)
{
    for (int w = 0; w < WAVES; w++) {
        const wave *v = &s->wave[w];
        const double step = v->k[2] * s->spacing[2], c = cos(step), d = sin(step);
        const double at = v->phase + v->k[0] * s->spacing[0] * (double)z +
                          v->k[1] * s->spacing[1] * (double)y;
        double re = v->amplitude * cos(at), im = v->amplitude * sin(at);

        for (int64_t x = 0; x < s->n[2]; x++) {
            const double next = re * c - im * d;

            row[x] += re;
            im = re * d + im * c;
            re = next;
        }
    }
}

static double voxel(const scene *s, const double p[3], double texture)
{
    const double skin = inside(&s->skin, p);
    double skull, brain, v;

    if (skin == 0)
        return 0;
    skull = inside(&s->skull, p);
    brain = skull > 0 ? inside(&s->brain, p) : 0;
    v = s->skin.value * skin + (s->skull.value - s->skin.value) * skull;
    if (brain > 0) {
        double b = s->brain.value + 4 * texture;

        for (int i = 0; i < BLOBS; i++)
            b += s->blob[i].value * inside(&s->blob[i], p);
        v += (b - s->skull.value) * brain;
    }
    return v;
}

static void fill_row(float *out, const scene *s, int64_t z, int64_t y, double *texture,
                     vox_rng *r)
{
    memset(texture, 0, (size_t)s->n[2] * sizeof *texture);
    add_waves(texture, s, z, y);
    for (int64_t x = 0; x < s->n[2]; x++) {
        const double p[3] = {((double)z + 0.5) * s->spacing[0],
                             ((double)y + 0.5) * s->spacing[1],
                             ((double)x + 0.5) * s->spacing[2]};
        const double v = voxel(s, p, texture[x]);
        const double n =
            v > 0 ? s->noise * (vox_rng_uniform(r) + vox_rng_uniform(r) - 1) : 0;

        out[x] = (float)rint(v > 0 ? fmax(v + n, 1) : 0);
    }
}

static void describe(vox_volume_info *info, const scene *s)
{
    *info = (vox_volume_info){.slope = 1, .format = "nifti1", .stored = "f32"};
    info->shape = VOX_SHAPE(1, s->n[0], s->n[1], s->n[2]);
    memcpy(info->spacing, s->spacing, sizeof info->spacing);
    info->direction[0] = info->direction[4] = info->direction[8] = 1;
}

int vox_synth_volume(vox_volume *out, uint64_t seed, int64_t number, double size)
{
    vox_rng r = vox_rng_at(seed, VOX_STREAM("synth-noise"), (uint64_t)number);
    vox_volume v = VOX_VOLUME_INIT;
    double *texture;
    scene s;

    draw_scene(&s, seed, number, size);
    describe(&v.info, &s);
    v.data = vox_alloc((size_t)vox_shape_count(v.info.shape), sizeof *v.data);
    texture = vox_alloc((size_t)s.n[2], sizeof *texture);
    if (!v.data || !texture) {
        vox_free(v.data);
        vox_free(texture);
        return VOX_E_NOMEM;
    }
    for (int64_t row = 0; row < s.n[0] * s.n[1]; row++)
        fill_row(v.data + row * s.n[2], &s, row / s.n[1], row % s.n[1], texture, &r);
    vox_free(texture);
    *out = v;
    return VOX_OK;
}

typedef struct job {
    const char *dir;
    const vox_synth_cfg *cfg;
    int64_t done;
    pthread_mutex_t lock; /* guards done and calls of progress */
} job;

static int write_one(const job *j, int64_t number)
{
    vox_volume v = VOX_VOLUME_INIT;
    vox_buf path = VOX_BUF_INIT;
    int rc = vox_buf_printf(&path, "%s/head%03lld.nii.gz", j->dir, (long long)number);

    if (rc == VOX_OK)
        rc = vox_synth_volume(&v, j->cfg->seed, number, j->cfg->size);
    if (rc == VOX_OK)
        rc = vox_volume_write(&v, path.data);
    vox_volume_release(&v);
    vox_buf_release(&path);
    return rc;
}

static int work(void *arg, int64_t i)
{
    job *j = arg;

    if (vox_stop_asked())
        return vox_fail(VOX_E_STOP, "stopped by %s", vox_stop_name());
    VOX_TRY(write_one(j, i + 1));
    pthread_mutex_lock(&j->lock);
    j->done++;
    if (j->cfg->progress)
        j->cfg->progress(j->cfg->arg, "making volumes", j->done, j->cfg->count);
    pthread_mutex_unlock(&j->lock);
    return VOX_OK;
}

int vox_synth(const char *dir, const vox_synth_cfg *cfg)
{
    job j = {.dir = dir, .cfg = cfg};
    int rc;

    if (cfg->count < 1 || !(cfg->size >= 0.05 && cfg->size <= 4))
        return vox_fail(VOX_E_ARG, "%lld volumes of size %g, wanted at least 1, 0.05 to 4",
                        (long long)cfg->count, cfg->size);
    VOX_TRY(vox_mkdirs(dir));
    pthread_mutex_init(&j.lock, NULL);
    rc = vox_pool_run(cfg->count, cfg->threads, work, &j);
    pthread_mutex_destroy(&j.lock);
    return rc;
}
