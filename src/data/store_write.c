/*
 * store_write: an array cut into chunks, each compressed and appended to a frame in memory,
 * which our own atomic writer puts into the file.
 *
 * A chunk is a row of its blocks, each contiguous; what reaches over the image's end is 0.
 * b2nd's own conversion of a buffer is not used: it takes fresh memory and starts threads
 * for every chunk.
 */
#include <b2nd.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "data/store_file.h"

static const struct {
    const char *name;
    int blosc, level;
} codecs[VOX_CODECS] = {
    [VOX_CODEC_ZSTD] = {"zstd", BLOSC_ZSTD, 1},
    [VOX_CODEC_LZ4] = {"lz4",  BLOSC_LZ4,  5},
};

const char *vox_codec_name(int codec)
{
    return codec >= 0 && codec < VOX_CODECS ? codecs[codec].name : NULL;
}

int vox_codec_find(vox_codec *out, const char *name)
{
    for (int i = 0; i < VOX_CODECS; i++) {
        if (strcmp(name, codecs[i].name) == 0) {
            *out = (vox_codec)i;
            return VOX_OK;
        }
    }
    return vox_fail(VOX_E_ARG, "there is no codec \"%s\", wanted zstd or lz4", name);
}

int vox_store_level(const vox_store_cfg *cfg)
{
    return cfg->level > 0 ? cfg->level : codecs[cfg->codec].level;
}

void vox_store_space_release(vox_store_space *s)
{
    vox_scratch_release(&s->chunk);
    vox_scratch_release(&s->packed);
}

/* One array on its way into a frame. */
typedef struct writing {
    const char *path;
    const float *data;
    const int64_t *shape;
    int64_t block[AXES], chunk[AXES];
    int64_t blocks[AXES]; /* per chunk */
    int64_t block_voxels, chunk_bytes;
    float *buffer; /* one chunk in order of blocks */
    void *packed;
    blosc2_schunk *frame;
} writing;

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

static int64_t product(const int64_t n[AXES])
{
    return n[0] * n[1] * n[2] * n[3];
}

static void cut(writing *w)
{
    vox_store_blocks(w->block, w->chunk, w->shape);
    for (int i = 0; i < AXES; i++)
        w->blocks[i] = (w->chunk[i] + w->block[i] - 1) / w->block[i];
    w->block_voxels = product(w->block);
    w->chunk_bytes = product(w->blocks) * w->block_voxels * (int64_t)sizeof(float);
}

/* The frame with its description of the array, still without chunks. */
static int open_frame(writing *w, const vox_store_cfg *cfg)
{
    blosc2_cparams cparams = BLOSC2_CPARAMS_DEFAULTS;
    blosc2_dparams dparams = BLOSC2_DPARAMS_DEFAULTS;
    blosc2_storage storage = BLOSC2_STORAGE_DEFAULTS;
    int32_t block[AXES], chunk[AXES];
    uint8_t *meta = NULL;
    int rc;

    for (int i = 0; i < AXES; i++) {
        block[i] = (int32_t)w->block[i];
        chunk[i] = (int32_t)w->chunk[i];
    }
    cparams.compcode = (uint8_t)codecs[cfg->codec].blosc;
    cparams.clevel = (uint8_t)vox_store_level(cfg);
    cparams.typesize = sizeof(float);
    cparams.blocksize = (int32_t)(w->block_voxels * (int64_t)sizeof(float));
    cparams.nthreads = dparams.nthreads = 1;
    cparams.splitmode = BLOSC_AUTO_SPLIT;
    storage.contiguous = true;
    storage.cparams = &cparams;
    storage.dparams = &dparams;
    w->frame = blosc2_schunk_new(&storage);
    if (!w->frame)
        return vox_fail(VOX_E_NOMEM, "%s: no memory to compress", w->path);
    rc = b2nd_serialize_meta(AXES, w->shape, chunk, block, "<f4", 0, &meta);
    if (rc >= 0)
        rc = blosc2_meta_add(w->frame, "b2nd", meta, rc);
    free(meta);
    return rc < 0 ? vox_store_fail(w->path, "cannot compress", rc) : VOX_OK;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The block whose first voxel is `at`, as far as the chunk and the image go. */
static void copy_block(const writing *w, float *to, const int64_t at[AXES],
                       const int64_t end[AXES])
{
    const int64_t *n = w->shape, *b = w->block;
    const int64_t depth = least(b[1], end[1] - at[1]), rows = least(b[2], end[2] - at[2]);
    const int64_t row = least(b[3], end[3] - at[3]);

    if (product(b) != (end[0] - at[0]) * depth * rows * row)
        memset(to, 0, sizeof *to * (size_t)product(b));
    for (int64_t c = at[0]; c < end[0]; c++, to += b[1] * b[2] * b[3]) {
        for (int64_t z = 0; z < depth; z++) {
            for (int64_t y = 0; y < rows; y++)
                memcpy(to + (z * b[2] + y) * b[3],
                       w->data + ((c * n[1] + at[1] + z) * n[2] + at[2] + y) * n[3] + at[3],
                       sizeof *to * (size_t)row);
        }
    }
}

/* The chunk whose first voxel is `at`; channels are never cut. */
static void copy_chunk(const writing *w, const int64_t at[AXES])
{
    int64_t end[AXES], from[AXES] = {0};
    float *to = w->buffer;

    for (int i = 0; i < AXES; i++)
        end[i] = least(at[i] + w->chunk[i], w->shape[i]);
    for (int64_t z = 0; z < w->blocks[1]; z++) {
        for (int64_t y = 0; y < w->blocks[2]; y++) {
            for (int64_t x = 0; x < w->blocks[3]; x++, to += w->block_voxels) {
                const int64_t step[AXES] = {0, z, y, x};
                int inside = 1;

                for (int i = 1; i < AXES; i++) {
                    from[i] = at[i] + step[i] * w->block[i];
                    inside = inside && from[i] < end[i];
                }
                if (inside)
                    copy_block(w, to, from, end);
                else
                    memset(to, 0, sizeof *to * (size_t)w->block_voxels);
            }
        }
    }
}

static int add_chunk(const writing *w, const int64_t at[AXES])
{
    const int32_t room = (int32_t)w->chunk_bytes + BLOSC2_MAX_OVERHEAD;
    int64_t rc;

    copy_chunk(w, at);
    rc = blosc2_compress_ctx(w->frame->cctx, w->buffer, (int32_t)w->chunk_bytes, w->packed,
                             room);
    if (rc > 0)
        rc = blosc2_schunk_append_chunk(w->frame, w->packed, true);
    return rc < 0 ? vox_store_fail(w->path, "cannot compress", (int)rc) : VOX_OK;
}

static int add_chunks(const writing *w)
{
    int64_t at[AXES] = {0};

    for (at[1] = 0; at[1] < w->shape[1]; at[1] += w->chunk[1]) {
        for (at[2] = 0; at[2] < w->shape[2]; at[2] += w->chunk[2]) {
            for (at[3] = 0; at[3] < w->shape[3]; at[3] += w->chunk[3])
                VOX_TRY(add_chunk(w, at));
        }
    }
    return VOX_OK;
}

static int write_frame(const writing *w)
{
    uint8_t *bytes = NULL;
    bool needs_free = false;
    const int64_t len = blosc2_schunk_to_buffer(w->frame, &bytes, &needs_free);
    int rc;

    if (len < 0)
        return vox_store_fail(w->path, "cannot compress", (int)len);
    rc = vox_file_write(w->path, bytes, (size_t)len);
    if (needs_free)
        free(bytes);
    return rc;
}

static int write_array(writing *w, const vox_store_cfg *cfg, vox_store_space *space)
{
    cut(w);
    w->buffer = vox_scratch_need(&space->chunk, (size_t)w->chunk_bytes, 1);
    w->packed =
        vox_scratch_need(&space->packed, (size_t)w->chunk_bytes + BLOSC2_MAX_OVERHEAD, 1);
    if (!w->buffer || !w->packed)
        return VOX_E_NOMEM;
    VOX_TRY(open_frame(w, cfg));
    VOX_TRY(add_chunks(w));
    return write_frame(w);
}

int vox_store_write(const char *path, const float *data, const int64_t shape[AXES],
                    const vox_store_cfg *cfg, vox_store_space *space)
{
    static const vox_store_cfg defaults = {VOX_CODEC_ZSTD, 0};
    vox_store_space own = VOX_STORE_SPACE_INIT;
    writing w = {.path = path, .data = data, .shape = shape};
    int rc;

    VOX_TRY(check_shape(shape, path));
    vox_store_library();
    rc = write_array(&w, cfg ? cfg : &defaults, space ? space : &own);
    if (w.frame)
        blosc2_schunk_free(w.frame);
    vox_store_space_release(&own);
    return rc;
}
