/* value: layouts and the copies between them. */
#include "graph/value.h"

#include "base/team.h"

int vox_layout_lanes(vox_layout layout)
{
    return layout == VOX_BLOCKED16 ? 16 : layout == VOX_BLOCKED8 ? 8 : 1;
}

int64_t vox_layout_count(vox_shape shape, vox_layout layout)
{
    const int lanes = vox_layout_lanes(layout);
    int64_t count = vox_shape_count(shape);

    if (lanes > 1)
        count = count / shape.n[1] * ((shape.n[1] + lanes - 1) / lanes * lanes);
    return count;
}

vox_layout vox_layout_of(const vox_value *v, vox_layout blocked)
{
    if (v->role == VOX_ROLE_ACTIVATION && v->dtype == VOX_F32 && v->shape.rank == 5 &&
        v->shape.n[1] >= 8)
        return blocked;
    return VOX_PLAIN;
}

/* Distance between neighbouring voxels, and the place of channel c of image n. */
static int64_t voxel_step(vox_layout layout, int64_t channels)
{
    return layout == VOX_CHANNELS_LAST ? channels : vox_layout_lanes(layout);
}

static int64_t channel_at(vox_layout layout, int64_t n, int64_t c, int64_t channels,
                          int64_t voxels)
{
    const int64_t lanes = vox_layout_lanes(layout);
    const int64_t blocks = (channels + lanes - 1) / lanes;

    if (layout == VOX_CHANNELS_LAST)
        return n * voxels * channels + c;
    return (n * blocks + c / lanes) * voxels * lanes + c % lanes;
}

void vox_relayout(float *dst, vox_layout to, const float *src, vox_layout from,
                  vox_shape shape)
{
    const int64_t channels = shape.n[1], voxels = shape.n[2] * shape.n[3] * shape.n[4];
    const int64_t lanes = vox_layout_lanes(to);
    const int64_t stored = (channels + lanes - 1) / lanes * lanes; /* padding lanes too */
    const int64_t put = voxel_step(to, channels), take = voxel_step(from, channels);

    VOX_SHARE(i, shape.n[0] * stored) {
        const int64_t n = i / stored, c = i % stored;
        float *d = dst + channel_at(to, n, c, channels, voxels);
        const float *s = src + channel_at(from, n, c < channels ? c : 0, channels, voxels);

        for (int64_t v = 0; v < voxels; v++)
            d[v * put] = c < channels ? s[v * take] : 0.0f;
    }
}
