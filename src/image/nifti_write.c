/*
 * nifti_write: a volume as NIfTI-1 with f32 voxels, least significant byte first.
 *
 * The geometry is written as sform, and as qform where the directions are a rotation (with
 * or without a flip), so that every reader finds the orientation it prefers.
 */
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "image/gzip.h"
#include "image/nifti.h"

enum { HEADER = 352, EXTENT_MAX = INT16_MAX, BLOCK = 4096 };

static void put_i16(unsigned char *p, int64_t v)
{
    p[0] = (unsigned char)(v & 0xff);
    p[1] = (unsigned char)(v >> 8 & 0xff);
}

static void put_f32(unsigned char *p, double v)
{
    const float narrow = (float)v;
    uint32_t bits;

    memcpy(&bits, &narrow, sizeof bits);
    put_i16(p, bits & 0xffff);
    put_i16(p + 2, bits >> 16);
}

static void put_orientation(unsigned char *p, const vox_volume_info *v)
{
    double r[9], bcd[3];

    put_i16(p + 254, 1); /* sform */
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++)
            put_f32(p + 280 + 16 * i + 4 * j, v->direction[3 * i + j] * v->spacing[2 - j]);
        put_f32(p + 292 + 16 * i, v->origin[i]);
    }
    for (int flip = 0; flip < 2; flip++) {
        for (int i = 0; i < 9; i++)
            r[i] = flip && i % 3 == 2 ? -v->direction[i] : v->direction[i];
        if (!vox_nifti_quaternion(bcd, r))
            continue;
        put_i16(p + 252, 1);
        put_f32(p + 76, flip ? -1.0 : 1.0);
        for (int i = 0; i < 3; i++) {
            put_f32(p + 256 + 4 * i, bcd[i]);
            put_f32(p + 268 + 4 * i, v->origin[i]);
        }
    }
}

static int put_header(unsigned char p[HEADER], const vox_volume_info *v, const char *path)
{
    const int rank = v->shape.n[0] > 1 ? 4 : 3;

    memset(p, 0, HEADER);
    put_i16(p, VOX_NIFTI1_SIZE);
    put_i16(p + 40, rank);
    for (int i = 0; i < 7; i++) {
        const int64_t n = i < rank ? v->shape.n[i < 3 ? 3 - i : 0] : 1;

        if (n > EXTENT_MAX)
            return vox_fail(VOX_E_ARG, "%s: extent %lld, NIfTI-1 takes at most %d", path,
                            (long long)n, EXTENT_MAX);
        put_i16(p + 42 + 2 * i, n);
    }
    put_i16(p + 70, 16); /* f32 */
    put_i16(p + 72, 32);
    put_f32(p + 76, 1.0);
    for (int i = 0; i < 3; i++)
        put_f32(p + 80 + 4 * i, v->spacing[2 - i]);
    put_f32(p + 92, 1.0);
    put_f32(p + 108, HEADER);
    put_f32(p + 112, 1.0);
    p[123] = 2; /* mm */
    put_orientation(p, v);
    memcpy(p + 344, "n+1", 4);
    return VOX_OK;
}

static void put_voxels(unsigned char *p, const float *data, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put_f32(p + 4 * i, (double)data[i]);
}

static int write_plain(const char *path, const unsigned char *header, const float *data,
                       size_t count)
{
    unsigned char block[4 * BLOCK];
    vox_writer w = VOX_WRITER_INIT;
    int good;

    VOX_TRY(vox_writer_open(&w, path));
    good = fwrite(header, 1, HEADER, w.f) == HEADER;
    for (size_t at = 0; at < count && good; at += BLOCK) {
        const size_t n = count - at < BLOCK ? count - at : BLOCK;

        put_voxels(block, data + at, n);
        good = fwrite(block, 4, n, w.f) == n;
    }
    if (!good) {
        const int rc = vox_fail_errno(VOX_E_IO, "%s: cannot write", path);

        vox_writer_abort(&w);
        return rc;
    }
    return vox_writer_commit(&w);
}

static int write_packed(const char *path, const unsigned char *header, const float *data,
                        size_t count)
{
    const size_t size = HEADER + 4 * count;
    unsigned char *whole = vox_alloc(size, 1);
    vox_buf packed = VOX_BUF_INIT;
    int rc = whole ? VOX_OK : VOX_E_NOMEM;

    if (rc == VOX_OK) {
        memcpy(whole, header, HEADER);
        put_voxels(whole + HEADER, data, count);
        rc = vox_gzip(&packed, whole, size);
    }
    if (rc == VOX_OK)
        rc = vox_file_write(path, packed.data, packed.len);
    vox_buf_release(&packed);
    vox_free(whole);
    return rc;
}

/* One file: a .hdr would want its voxels in another. */
static int is_single(const char *path)
{
    const size_t n = strlen(path);

    if (vox_format_of(path) != &vox_format_nifti)
        return 0;
    return strncasecmp(path + n - (path[n - 1] == 'z' || path[n - 1] == 'Z' ? 7 : 4),
                       ".nii", 4) == 0;
}

int vox_volume_write(const vox_volume *v, const char *path)
{
    unsigned char header[HEADER];
    const size_t count = (size_t)vox_shape_count(v->info.shape), len = strlen(path);

    if (!is_single(path))
        return vox_fail(VOX_E_ARG, "%s: cannot write this ending, wanted .nii or .nii.gz",
                        path);
    VOX_TRY(put_header(header, &v->info, path));
    if (path[len - 1] == 'z' || path[len - 1] == 'Z')
        return write_packed(path, header, v->data, count);
    return write_plain(path, header, v->data, count);
}
