/* params: declared keys, one block per kind, and what is done to whole blocks. */
#include "graph/params.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"

int vox_params_find(const vox_params *p, const char *name)
{
    return (int)vox_dict_get(&p->index, name, -1);
}

int vox_params_new(vox_params **out, vox_device *dev)
{
    vox_params *p = vox_zalloc(1, sizeof *p);

    if (!p)
        return VOX_E_NOMEM;
    p->dev = dev;
    *out = p;
    return VOX_OK;
}

static void free_block(vox_params *p, float *block)
{
    if (block)
        vox_device_free(p->dev, block, (size_t)p->count * sizeof(float));
}

static size_t norms_bytes(const vox_params *p)
{
    return (size_t)p->n_param * sizeof *p->norm2;
}

void vox_params_free(vox_params *p)
{
    if (!p)
        return;
    free_block(p, p->value);
    free_block(p, p->grad);
    free_block(p, p->moment[0]);
    free_block(p, p->moment[1]);
    vox_device_free(p->dev, p->norm2, norms_bytes(p));
    vox_dict_release(&p->index);
    vox_free(p->key);
    vox_free(p->param);
    vox_arena_release(&p->arena);
    vox_free(p);
}

static int add_key(vox_params *p, const char *name, int param)
{
    const char *copy;

    if (p->value)
        return vox_fail(VOX_E_ARG, "parameter \"%s\" is declared after seal", name);
    if (vox_params_find(p, name) >= 0)
        return vox_fail(VOX_E_EXISTS, "parameter \"%s\" is declared twice", name);
    copy = vox_arena_strdup(&p->arena, name);
    if (!copy)
        return VOX_E_NOMEM;
    VOX_TRY(vox_grow(&p->key, &p->cap_key, p->n_key + 1, sizeof *p->key));
    VOX_TRY(vox_dict_set(&p->index, copy, param, NULL));
    p->key[p->n_key++] = (vox_key){copy, param};
    return VOX_OK;
}

int vox_params_add(vox_params *p, const char *name, vox_shape shape, vox_init init)
{
    const int64_t count = vox_shape_count(shape);

    if (count < 1)
        return vox_fail(VOX_E_ARG, "parameter \"%s\" has no elements", name);
    VOX_TRY(vox_grow(&p->param, &p->cap_param, p->n_param + 1, sizeof *p->param));
    VOX_TRY(add_key(p, name, p->n_param));
    p->param[p->n_param++] = (vox_param){.name = p->key[p->n_key - 1].name,
                                         .role = VOX_ROLE_PARAM,
                                         .shape = shape,
                                         .offset = p->count,
                                         .count = count,
                                         .init = init};
    p->count += count;
    return VOX_OK;
}

int vox_params_alias(vox_params *p, const char *alias, const char *name)
{
    const int index = vox_params_find(p, name);

    if (index < 0)
        return vox_fail(VOX_E_MISSING, "alias \"%s\" of \"%s\", which is not declared",
                        alias, name);
    return add_key(p, alias, index);
}

/* A zeroed block of p->count floats. */
static int new_block(vox_params *p, float **block)
{
    static const float zero[4096];
    const size_t bytes = (size_t)p->count * sizeof(float);
    float *b = vox_device_alloc(p->dev, bytes);
    int rc = VOX_OK;

    if (!b)
        return VOX_E_NOMEM;
    for (size_t at = 0; at < bytes && rc == VOX_OK; at += sizeof zero) {
        const size_t n = bytes - at < sizeof zero ? bytes - at : sizeof zero;

        rc = vox_device_upload(p->dev, (char *)b + at, zero, n);
    }
    if (rc == VOX_OK)
        *block = b;
    else
        free_block(p, b);
    return rc;
}

int vox_params_seal(vox_params *p)
{
    VOX_TRY(new_block(p, &p->value));
    if (p->frozen)
        return VOX_OK;
    VOX_TRY(new_block(p, &p->grad));
    p->norm2 = vox_device_alloc(p->dev, norms_bytes(p));
    return p->norm2 ? VOX_OK : VOX_E_NOMEM;
}

int vox_params_need_moment(vox_params *p, int i)
{
    return p->moment[i] ? VOX_OK : new_block(p, &p->moment[i]);
}

int vox_params_get(vox_params *p, const float *block, int index, float *host)
{
    const vox_param *q = &p->param[index];

    return vox_device_download(p->dev, host, block + q->offset,
                               (size_t)q->count * sizeof(float));
}

int vox_params_set(vox_params *p, float *block, int index, const float *host)
{
    vox_param *q = &p->param[index];

    if (block == p->grad)
        q->squares = NULL;
    return vox_device_upload(p->dev, block + q->offset, host,
                             (size_t)q->count * sizeof(float));
}

static double draw(vox_init init, vox_rng *rng)
{
    double v;

    switch (init.kind) {
    case VOX_INIT_UNIFORM:
        return vox_rng_range(rng, -init.a, init.a);
    case VOX_INIT_NORMAL:
        return init.a * vox_rng_normal(rng);
    case VOX_INIT_TRUNC:
        do {
            v = init.a * vox_rng_normal(rng);
        } while (fabs(v) > init.b);
        return v;
    default:
        return init.a;
    }
}

int vox_params_init(vox_params *p, uint64_t seed)
{
    for (int i = 0; i < p->n_param; i++) {
        const vox_param *q = &p->param[i];
        vox_rng rng = vox_rng_at(seed, VOX_STREAM(q->name), 0);
        float *host = vox_alloc((size_t)q->count, sizeof *host);
        int rc;

        if (!host)
            return VOX_E_NOMEM;
        for (int64_t k = 0; k < q->count; k++)
            host[k] = (float)draw(q->init, &rng);
        rc = vox_params_set(p, p->value, i, host);
        vox_free(host);
        VOX_TRY(rc);
    }
    return VOX_OK;
}

void vox_params_begin_step(vox_params *p)
{
    for (int i = 0; i < p->n_param; i++)
        p->param[i].touched = 0;
}

/* One job over a run of a block, on the device's threads. */
typedef struct job {
    vox_device *dev;
    float *a, *b;
    float decay;
    int64_t count;
    double *tile, sum;
} job;

static void ema_job(void *arg)
{
    const job *j = arg;
    float *dst = j->dev->type->real(j->dev, j->a);
    const float *src = j->dev->type->real(j->dev, j->b);

    VOX_SHARE(i, j->count)
        dst[i] = j->decay * dst[i] + (1.0f - j->decay) * src[i];
}

int vox_params_ema(vox_params *teacher, vox_params *student, float decay)
{
    job j = {teacher->dev, teacher->value, student->value, decay, teacher->count, NULL, 0};

    if (teacher->count != student->count)
        return vox_fail(VOX_E_ARG, "teacher has %lld values, student %lld",
                        (long long)teacher->count, (long long)student->count);
    vox_device_run(teacher->dev, ema_job, &j);
    vox_device_sync(teacher->dev);
    return VOX_OK;
}

int vox_params_clone(vox_params **out, vox_params *p)
{
    vox_params *q;
    int rc;

    VOX_TRY(vox_params_new(&q, p->dev));
    q->frozen = 1;
    rc = VOX_OK;
    for (int k = 0; k < p->n_key && rc == VOX_OK; k++) {
        const vox_param *from = &p->param[p->key[k].param];

        if (p->key[k].name == from->name)
            rc = vox_params_add(q, from->name, from->shape, from->init);
        else
            rc = vox_params_alias(q, p->key[k].name, from->name);
    }
    if (rc == VOX_OK)
        rc = vox_params_seal(q);
    if (rc == VOX_OK)
        rc = vox_params_ema(q, p, 0.0f);
    if (rc != VOX_OK) {
        vox_params_free(q);
        return rc;
    }
    *out = q;
    return VOX_OK;
}

static void norm_job(void *arg)
{
    job *j = arg;

    j->dev->steps->norm2(&j->sum, j->dev->type->real(j->dev, j->a), j->count, j->tile);
}

/* The sum of squares of a gradient, by a pass over it. */
static int measure_norm(vox_params *p, const vox_param *q, double *sum)
{
    job j = {.dev = p->dev, .a = p->grad + q->offset, .count = q->count};

    j.tile = vox_alloc((size_t)vox_norm2_tiles(q->count), sizeof *j.tile);
    if (!j.tile)
        return VOX_E_NOMEM;
    vox_device_run(p->dev, norm_job, &j);
    vox_device_sync(p->dev);
    vox_free(j.tile);
    *sum = j.sum;
    return VOX_OK;
}

static int sum_norms(vox_params *p, double *norm2, double *sum)
{
    VOX_TRY(vox_device_download(p->dev, norm2, p->norm2, norms_bytes(p)));
    *sum = 0.0;
    for (int i = 0; i < p->n_param; i++) {
        const vox_param *q = &p->param[i];

        if (!q->touched)
            continue;
        if (!q->squares)
            VOX_TRY(measure_norm(p, q, &norm2[i]));
        *sum += norm2[i];
    }
    return VOX_OK;
}

int vox_params_grad_norm(vox_params *p, double *norm)
{
    double *norm2 = vox_alloc((size_t)p->n_param, sizeof *norm2), sum;
    int rc = norm2 ? sum_norms(p, norm2, &sum) : VOX_E_NOMEM;

    vox_free(norm2);
    if (rc == VOX_OK)
        *norm = sqrt(sum);
    return rc;
}
