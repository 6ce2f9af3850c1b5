/*
 * store: .b2nd through C-Blosc2's b2nd interface.
 *
 * Frames are built and read in memory: writing goes through our own atomic writer, reading
 * through a mapped file, so that C-Blosc2 opens no file itself (it would, once per block).
 */
#include "data/store_file.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "io/map.h"

static void init_library(void)
{
    blosc2_init();
}

static void need_library(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, init_library);
}

int vox_store_fail(const char *path, const char *what, int code)
{
    return vox_fail(code == BLOSC2_ERROR_MEMORY_ALLOC ? VOX_E_NOMEM : VOX_E_FORMAT,
                    "%s: %s: blosc2 says %s", path, what, print_error(code));
}

static int check_shape(const int64_t shape[AXES], const char *path)
{
    int64_t count = 1;

    for (int i = 0; i < AXES; i++) {
        if (shape[i] < 1 || shape[i] > INT32_MAX || count > INT64_MAX / 8 / shape[i])
            return vox_fail(VOX_E_ARG,
                            "%s: cannot store an image of %lld x %lld x %lld x %lld", path,
                            (long long)shape[0], (long long)shape[1], (long long)shape[2],
                            (long long)shape[3]);
        count *= shape[i];
    }
    return VOX_OK;
}

static b2nd_context_t *new_context(const int64_t shape[AXES], blosc2_cparams *cparams,
                                   const vox_store_cfg *cfg)
{
    blosc2_dparams dparams = BLOSC2_DPARAMS_DEFAULTS;
    blosc2_storage storage = BLOSC2_STORAGE_DEFAULTS;
    int64_t block[AXES], chunk[AXES];
    int32_t block32[AXES], chunk32[AXES];

    vox_store_blocks(block, chunk, shape);
    for (int i = 0; i < AXES; i++) {
        block32[i] = (int32_t)block[i];
        chunk32[i] = (int32_t)chunk[i];
    }
    *cparams = BLOSC2_CPARAMS_DEFAULTS;
    cparams->compcode = BLOSC_ZSTD;
    cparams->clevel = (uint8_t)cfg->level;
    cparams->typesize = sizeof(float);
    cparams->nthreads = (int16_t)cfg->threads;
    cparams->splitmode = BLOSC_AUTO_SPLIT;
    storage.contiguous = true;
    storage.cparams = cparams;
    storage.dparams = &dparams;
    return b2nd_create_ctx(&storage, AXES, shape, chunk32, block32, "<f4", 0, NULL, 0);
}

static int write_frame(const char *path, const b2nd_array_t *array)
{
    uint8_t *frame = NULL;
    int64_t len = 0;
    bool needs_free = false;
    int rc = b2nd_to_cframe(array, &frame, &len, &needs_free);

    if (rc < 0)
        return vox_store_fail(path, "cannot compress", rc);
    rc = vox_file_write(path, frame, (size_t)len);
    if (needs_free)
        free(frame);
    return rc;
}

int vox_store_write(const char *path, const float *data, const int64_t shape[AXES],
                    const vox_store_cfg *cfg)
{
    static const vox_store_cfg defaults = VOX_STORE_CFG_INIT;
    blosc2_cparams cparams;
    b2nd_context_t *ctx;
    b2nd_array_t *array = NULL;
    int rc;

    VOX_TRY(check_shape(shape, path));
    need_library();
    ctx = new_context(shape, &cparams, cfg ? cfg : &defaults);
    if (!ctx)
        return vox_fail(VOX_E_NOMEM, "%s: no memory to compress", path);
    rc = b2nd_from_cbuffer(ctx, &array, data,
                           shape[0] * shape[1] * shape[2] * shape[3] *
                               (int64_t)sizeof *data);
    rc = rc < 0 ? vox_store_fail(path, "cannot compress", rc) : write_frame(path, array);
    if (array)
        b2nd_free(array);
    b2nd_free_ctx(ctx);
    return rc;
}

/* What the file says about itself, checked. */
static int check_array(vox_store *s)
{
    static const struct {
        const char *dtype;
        char kind;
        int size;
    } kinds[] = {
        {"<f4", 'f', 4},
        {"|i1", 'i', 1},
        {"|u1", 'u', 1}
    };
    const b2nd_array_t *a = s->array;
    const char *dtype = a->dtype ? a->dtype : "nothing";

    if (a->ndim != AXES)
        return vox_fail(VOX_E_FORMAT, "%s: has %d axes, wanted 4 (channel and three)",
                        s->path, a->ndim);
    memcpy(s->shape, a->shape, sizeof s->shape);
    for (int i = 0; i < AXES; i++) {
        if (a->chunkshape[i] < 1 || a->blockshape[i] < 1)
            return vox_fail(VOX_E_FORMAT,
                            "%s: axis %d has chunks of %d voxels and blocks of %d, wanted "
                            "1 or more",
                            s->path, i, (int)a->chunkshape[i], (int)a->blockshape[i]);
    }
    for (int i = 0; i < VOX_COUNT(kinds); i++) {
        if (strcmp(dtype, kinds[i].dtype) == 0 && a->sc->typesize == kinds[i].size) {
            s->kind = kinds[i].kind;
            return check_shape(s->shape, s->path) == VOX_OK ? VOX_OK : VOX_E_FORMAT;
        }
    }
    return vox_fail(VOX_E_FORMAT, "%s: elements are %.32s, wanted <f4, |i1 or |u1", s->path,
                    dtype);
}

static int open_array(vox_store *s, const char *path)
{
    int rc;

    s->path = vox_strdup(path);
    if (!s->path)
        return VOX_E_NOMEM;
    VOX_TRY(vox_map_open(&s->map, path));
    if (s->map.len < 100 || memcmp(s->map.data + 2, "b2frame", 7) != 0)
        return vox_fail(VOX_E_FORMAT, "%s: %zu bytes that are no Blosc2 frame", path,
                        s->map.len);
    rc = b2nd_from_cframe((uint8_t *)(uintptr_t)s->map.data, (int64_t)s->map.len, false,
                          &s->array);
    if (rc < 0) {
        s->array = NULL;
        return vox_store_fail(path, "damaged or cut off", rc);
    }
    return check_array(s);
}

int vox_store_open(vox_store **out, const char *path)
{
    vox_store *s = vox_zalloc(1, sizeof *s);
    int rc = s ? VOX_OK : VOX_E_NOMEM;

    *out = NULL;
    need_library();
    if (rc == VOX_OK)
        rc = open_array(s, path);
    if (rc == VOX_OK)
        *out = s;
    else
        vox_store_close(s);
    return rc;
}

void vox_store_close(vox_store *s)
{
    if (!s)
        return;
    if (s->array)
        b2nd_free(s->array);
    vox_map_close(&s->map);
    vox_free(s->chunk);
    vox_free(s->mask);
    vox_free(s->path);
    vox_free(s);
}

void vox_store_shape(const vox_store *s, int64_t shape[AXES])
{
    memcpy(shape, s->shape, sizeof s->shape);
}

void vox_store_describe(const vox_store *s, vox_store_info *out)
{
    const b2nd_array_t *a = s->array;

    *out = (vox_store_info){
        .codec = "unknown", .bytes = a->sc->typesize, .packed = a->sc->cbytes};
    for (int i = 0; i < AXES; i++) {
        out->shape[i] = s->shape[i];
        out->bytes *= s->shape[i];
        out->chunk[i] = a->chunkshape[i];
        out->block[i] = a->blockshape[i];
    }
    snprintf(out->dtype, sizeof out->dtype, "%s", a->dtype);
    if (blosc2_compcode_to_compname(a->sc->compcode, &out->codec) < 0)
        out->codec = "unknown";
}
