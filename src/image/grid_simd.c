/*
 * grid_simd: rows of stored voxels: to floats, what is not zero, sums.
 *
 * Plain loops over one row each, which the compiler turns into vectors of the path. Sums of
 * integers are collected in the narrowest type that cannot overflow in PIECE voxels, those
 * of floats in eight lanes of double, so that their order is the same on every path.
 */
#include "base/simd.h"
#include "image/grid.h"

enum { PIECE = 4096, LANES = 8 };

#define INTEGERS(F)                     \
    F(u8, uint8_t, int32_t, uint32_t)   \
    F(i8, int8_t, int32_t, uint32_t)    \
    F(u16, uint16_t, int32_t, uint64_t) \
    F(i16, int16_t, int32_t, uint64_t)

#define WIDEN(name, type, wide, square)                                                    \
    static void widen_##name(float *restrict out, const void *row, int64_t n, float shift, \
                             float scale)                                                  \
    {                                                                                      \
        const type *restrict x = row;                                                      \
                                                                                           \
        for (int64_t i = 0; i < n; i++)                                                    \
            out[i] = ((float)x[i] - shift) * scale;                                        \
    }
INTEGERS(WIDEN)
WIDEN(f32, float, , )
#undef WIDEN

static void widen(float *out, const void *row, vox_voxel e, int64_t n, float shift,
                  float scale)
{
    switch (e) {
    case VOX_VOXEL_U8:
        widen_u8(out, row, n, shift, scale);
        break;
    case VOX_VOXEL_I8:
        widen_i8(out, row, n, shift, scale);
        break;
    case VOX_VOXEL_U16:
        widen_u16(out, row, n, shift, scale);
        break;
    case VOX_VOXEL_I16:
        widen_i16(out, row, n, shift, scale);
        break;
    default:
        widen_f32(out, row, n, shift, scale);
    }
}

#define DIFFERS(name, type)                                                    \
    static int differs_##name(void *acc, const void *row, int64_t n, int zero) \
    {                                                                          \
        const type *restrict x = row, none = (type)zero;                       \
        type *restrict a = acc, any = 0;                                       \
                                                                               \
        for (int64_t i = 0; i < n; i++) {                                      \
            const type v = (type)(x[i] ^ none);                                \
                                                                               \
            a[i] = (type)(a[i] | v);                                           \
            any = (type)(any | v);                                             \
        }                                                                      \
        return any != 0;                                                       \
    }
DIFFERS(1, uint8_t)
DIFFERS(2, uint16_t)
#undef DIFFERS

/* Zero has two signs. */
static int differs_f32(void *acc, const void *row, int64_t n)
{
    const uint32_t *restrict x = row;
    uint32_t *restrict a = acc, any = 0;

    for (int64_t i = 0; i < n; i++) {
        const uint32_t v = x[i] << 1;

        a[i] |= v;
        any |= v;
    }
    return any != 0;
}

static int differs(void *acc, const void *row, vox_voxel e, int64_t n, int zero)
{
    if (e == VOX_VOXEL_F32)
        return differs_f32(acc, row, n);
    if (e == VOX_VOXEL_U8 || e == VOX_VOXEL_I8)
        return differs_1(acc, row, n, zero);
    return differs_2(acc, row, n, zero);
}

#define SUMS(name, type, wide, square)                                                  \
    static void sums_##name(vox_row_sums *s, const void *row, int64_t n)                \
    {                                                                                   \
        const type *restrict x = row;                                                   \
        type lo = x[0], hi = x[0];                                                      \
        square squares = 0;                                                             \
        wide sum = 0;                                                                   \
                                                                                        \
        for (int64_t i = 0; i < n; i++) {                                               \
            const type v = x[i];                                                        \
                                                                                        \
            lo = v < lo ? v : lo;                                                       \
            hi = v > hi ? v : hi;                                                       \
            sum += v;                                                                   \
            squares += (square)(uint32_t)((uint32_t)(int32_t)v * (uint32_t)(int32_t)v); \
        }                                                                               \
        s->sum += sum;                                                                  \
        s->squares += (int64_t)squares;                                                 \
        s->lo = (float)lo < s->lo ? (float)lo : s->lo;                                  \
        s->hi = (float)hi > s->hi ? (float)hi : s->hi;                                  \
    }
INTEGERS(SUMS)
#undef SUMS

/* A row shorter than the lanes leaves some alone. */
static void sums_f32(vox_row_sums *s, const float *x, int64_t n)
{
    double sum[LANES], squares[LANES];
    float lo[LANES], hi[LANES];

    for (int j = 0; j < LANES; j++) {
        sum[j] = s->fsum[j];
        squares[j] = s->fsquares[j];
        lo[j] = s->lo;
        hi[j] = s->hi;
    }
    for (int64_t i = 0; i < n; i += LANES) {
        const int count = n - i < LANES ? (int)(n - i) : LANES;
        float v[LANES];

        for (int j = 0; j < LANES; j++)
            v[j] = j < count ? x[i + j] : (float)s->centre;
        for (int j = 0; j < LANES; j++) {
            const double d = (double)v[j] - s->centre;

            sum[j] += d;
            squares[j] += d * d;
            lo[j] = v[j] < lo[j] ? v[j] : lo[j];
            hi[j] = v[j] > hi[j] ? v[j] : hi[j];
        }
    }
    for (int j = 0; j < LANES; j++) {
        s->fsum[j] = sum[j];
        s->fsquares[j] = squares[j];
        s->lo = lo[j] < s->lo ? lo[j] : s->lo;
        s->hi = hi[j] > s->hi ? hi[j] : s->hi;
    }
}

static void sums(vox_row_sums *s, const void *row, vox_voxel e, int64_t n)
{
    if (e == VOX_VOXEL_F32) {
        sums_f32(s, row, n);
        return;
    }
    for (int64_t i = 0; i < n; i += PIECE) {
        const int64_t count = n - i < PIECE ? n - i : PIECE;

        if (e == VOX_VOXEL_U8)
            sums_u8(s, (const uint8_t *)row + i, count);
        else if (e == VOX_VOXEL_I8)
            sums_i8(s, (const int8_t *)row + i, count);
        else if (e == VOX_VOXEL_U16)
            sums_u16(s, (const uint16_t *)row + i, count);
        else
            sums_i16(s, (const int16_t *)row + i, count);
    }
}

extern const vox_grid_kernel VOX_KERNEL(vox_grid);
const vox_grid_kernel VOX_KERNEL(vox_grid) = {widen, differs, sums};
