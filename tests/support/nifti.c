/* nifti: NIfTI files in memory; offsets from nifti1.h and nifti2.h. */
#include "support/unit.h"

#include "support/nifti.h"

#include <string.h>

nifti_file nifti_small(int version, int big, int datatype)
{
    return (nifti_file){
        .version = version,
        .big = big,
        .datatype = datatype,
        .dim = {3, 4, 3, 2, 1, 1, 1, 1},
        .pixdim = {1, 1, 1, 1, 1, 1, 1, 1},
    };
}

static void put_bits(unsigned char *p, int big, int size, uint64_t v)
{
    for (int i = 0; i < size; i++)
        p[big ? size - 1 - i : i] = (unsigned char)(v >> (8 * i));
}

static void put_real(unsigned char *p, int big, int size, double v)
{
    const float narrow = (float)v;
    uint32_t low;
    uint64_t bits;

    memcpy(&low, &narrow, sizeof low);
    memcpy(&bits, &v, sizeof bits);
    put_bits(p, big, size, size == 4 ? low : bits);
}

void nifti_put_int(vox_buf *out, const nifti_file *f, int size, int64_t v)
{
    unsigned char p[8];

    put_bits(p, f->big, size, (uint64_t)v);
    assert_int_equal(vox_buf_add(out, p, (size_t)size), 0);
}

void nifti_put_real(vox_buf *out, const nifti_file *f, int size, double v)
{
    unsigned char p[8];

    put_real(p, f->big, size, v);
    assert_int_equal(vox_buf_add(out, p, (size_t)size), 0);
}

static int64_t offset_of(const nifti_file *f, int64_t header)
{
    return f->vox_offset < 0 ? 0 : f->vox_offset ? f->vox_offset : header;
}

static void header1(unsigned char *p, const nifti_file *f)
{
    const int big = f->big;

    put_bits(p, big, 4, 348);
    for (int i = 0; i < 8; i++) {
        put_bits(p + 40 + 2 * i, big, 2, (uint64_t)f->dim[i]);
        put_real(p + 76 + 4 * i, big, 4, f->pixdim[i]);
    }
    put_bits(p + 70, big, 2, (uint64_t)f->datatype);
    put_real(p + 108, big, 4, (double)offset_of(f, 352));
    put_real(p + 112, big, 4, f->slope);
    put_real(p + 116, big, 4, f->inter);
    p[123] = (unsigned char)f->units;
    put_bits(p + 252, big, 2, (uint64_t)f->qform);
    put_bits(p + 254, big, 2, (uint64_t)f->sform);
    for (int i = 0; i < 3; i++) {
        put_real(p + 256 + 4 * i, big, 4, f->quatern[i]);
        put_real(p + 268 + 4 * i, big, 4, f->qoffset[i]);
    }
    for (int i = 0; i < 12; i++)
        put_real(p + 280 + 4 * i, big, 4, f->srow[i]);
    memcpy(p + 344, f->pair ? "ni1" : "n+1", 4);
}

static void header2(unsigned char *p, const nifti_file *f)
{
    const int big = f->big;

    put_bits(p, big, 4, 540);
    memcpy(p + 4, f->pair ? "ni2\0\r\n\032\n" : "n+2\0\r\n\032\n", 8);
    put_bits(p + 12, big, 2, (uint64_t)f->datatype);
    for (int i = 0; i < 8; i++) {
        put_bits(p + 16 + 8 * i, big, 8, (uint64_t)f->dim[i]);
        put_real(p + 104 + 8 * i, big, 8, f->pixdim[i]);
    }
    put_bits(p + 168, big, 8, (uint64_t)offset_of(f, 544));
    put_real(p + 176, big, 8, f->slope);
    put_real(p + 184, big, 8, f->inter);
    put_bits(p + 344, big, 4, (uint64_t)f->qform);
    put_bits(p + 348, big, 4, (uint64_t)f->sform);
    for (int i = 0; i < 3; i++) {
        put_real(p + 352 + 8 * i, big, 8, f->quatern[i]);
        put_real(p + 376 + 8 * i, big, 8, f->qoffset[i]);
    }
    for (int i = 0; i < 12; i++)
        put_real(p + 400 + 8 * i, big, 8, f->srow[i]);
    put_bits(p + 500, big, 4, (uint64_t)f->units);
}

void nifti_header(vox_buf *out, const nifti_file *f)
{
    unsigned char p[544] = {0};

    if (f->version == 1)
        header1(p, f);
    else
        header2(p, f);
    assert_int_equal(vox_buf_add(out, p, f->version == 1 ? 352 : 544), 0);
}
