/*
 * store: opening .b2nd files: frames of C-Blosc2 with the metalayer of b2nd (store_meta.c).
 *
 * They are read through a mapped file, so that C-Blosc2 opens no file itself (it would, once
 * per block).
 */
#include "data/store_file.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "io/map.h"

static void init_library(void)
{
    blosc2_init();
}

void vox_store_library(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, init_library);
}

int vox_store_fail(const char *path, const char *what, int code)
{
    return vox_fail(code == BLOSC2_ERROR_MEMORY_ALLOC ? VOX_E_NOMEM : VOX_E_FORMAT,
                    "%s: %s: blosc2 says %s", path, what, print_error(code));
}

/* What the file says about itself. b2nd's own reader is not used: it leaks what it refuses. */
static int check_meta(vox_store_meta *m, blosc2_schunk *sc, const char *path)
{
    uint8_t *bytes = NULL;
    int32_t len = 0;
    int rc;

    if (blosc2_meta_exists(sc, "b2nd") < 0 ||
        blosc2_meta_get(sc, "b2nd", &bytes, &len) < 0 || !bytes)
        return vox_fail(VOX_E_FORMAT, "%s: a Blosc2 frame without an array", path);
    rc = vox_store_meta_read(m, bytes, (size_t)len, path);
    free(bytes);
    return rc;
}

static int check_type(vox_store *s)
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

    s->item = s->frame->typesize;
    for (int i = 0; i < VOX_COUNT(kinds); i++) {
        if (strcmp(s->meta.dtype, kinds[i].dtype) == 0 && s->item == kinds[i].size) {
            s->kind = kinds[i].kind;
            return VOX_OK;
        }
    }
    return vox_fail(VOX_E_FORMAT, "%s: elements are %s of %d bytes, wanted <f4, |i1 or |u1",
                    s->path, s->meta.dtype, (int)s->item);
}

/* Frame and description must be of one array. */
static int count_items(vox_store *s)
{
    int64_t chunks = 1;

    s->chunk_items = s->block_items = 1;
    for (int i = 0; i < AXES; i++) {
        const int64_t block = s->meta.block[i], chunk = s->meta.chunk[i];

        s->padded[i] = (chunk + block - 1) / block * block;
        s->chunk_items *= s->padded[i];
        s->block_items *= block;
        chunks *= (s->meta.shape[i] + chunk - 1) / chunk;
    }
    if (s->frame->nchunks == chunks && s->frame->chunksize == s->chunk_items * s->item)
        return VOX_OK;
    return vox_fail(VOX_E_FORMAT,
                    "%s: %lld chunks of %lld bytes, its array needs %lld of %lld", s->path,
                    (long long)s->frame->nchunks, (long long)s->frame->chunksize,
                    (long long)chunks, (long long)(s->chunk_items * s->item));
}

static int open_frame(vox_store *s)
{
    VOX_TRY(vox_store_frame_check(s->bytes, s->len, s->path));
    s->frame =
        blosc2_schunk_from_buffer((uint8_t *)(uintptr_t)s->bytes, (int64_t)s->len, false);
    if (!s->frame)
        return vox_fail(VOX_E_FORMAT, "%s: damaged or cut off", s->path);
    VOX_TRY(check_meta(&s->meta, s->frame, s->path));
    VOX_TRY(check_type(s));
    return count_items(s);
}

static vox_store *new_store(const char *name)
{
    vox_store *s = vox_zalloc(1, sizeof *s);

    vox_store_library();
    if (!s)
        return NULL;
    s->path = vox_strdup(name);
    if (s->path)
        return s;
    vox_store_close(s);
    return NULL;
}

int vox_store_open_bytes(vox_store **out, const void *bytes, size_t len, const char *name)
{
    vox_store *s = new_store(name);
    int rc;

    *out = NULL;
    if (!s)
        return VOX_E_NOMEM;
    s->bytes = bytes;
    s->len = len;
    rc = open_frame(s);
    if (rc == VOX_OK)
        *out = s;
    else
        vox_store_close(s);
    return rc;
}

int vox_store_open(vox_store **out, const char *path)
{
    vox_map map = VOX_MAP_INIT;
    int rc;

    *out = NULL;
    VOX_TRY(vox_map_open(&map, path));
    rc = vox_store_open_bytes(out, map.data, map.len, path);
    if (rc == VOX_OK)
        (*out)->map = map;
    else
        vox_map_close(&map);
    return rc;
}

void vox_store_close(vox_store *s)
{
    if (!s)
        return;
    if (s->frame)
        blosc2_schunk_free(s->frame);
    vox_map_close(&s->map);
    vox_free(s->chunk);
    vox_free(s->mask);
    vox_free(s->path);
    vox_free(s);
}

void vox_store_shape(const vox_store *s, int64_t shape[AXES])
{
    memcpy(shape, s->meta.shape, sizeof s->meta.shape);
}

void vox_store_describe(const vox_store *s, vox_store_info *out)
{
    *out =
        (vox_store_info){.codec = "unknown", .bytes = s->item, .packed = s->frame->cbytes};
    for (int i = 0; i < AXES; i++) {
        out->shape[i] = s->meta.shape[i];
        out->bytes *= s->meta.shape[i];
        out->chunk[i] = s->meta.chunk[i];
        out->block[i] = s->meta.block[i];
    }
    snprintf(out->dtype, sizeof out->dtype, "%.7s", s->meta.dtype);
    if (blosc2_compcode_to_compname(s->frame->compcode, &out->codec) < 0)
        out->codec = "unknown";
}
