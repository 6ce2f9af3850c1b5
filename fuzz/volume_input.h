/*
 * volume_input: what the fuzz targets of image formats share. An input is a file; where the
 * format has its voxels in others, those follow behind a line of "=PART=", all in one.
 */
#ifndef VOX_FUZZ_VOLUME_INPUT_H
#define VOX_FUZZ_VOLUME_INPUT_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "image/stored.h"

enum { PARTS = 3 }; /* at most; each part is the same bytes */

static const char separator[] = "\n=PART=\n";

/** What a parser accepts must be a sound volume. */
static void check_volume(const vox_volume *v)
{
    const int64_t count = vox_shape_count(v->info.shape);

    VOX_ASSERT(count >= 1 && v->info.shape.rank == 4);
    for (int64_t i = 0; i < count; i++)
        VOX_ASSERT(isfinite(v->data[i]));
    for (int i = 0; i < 3; i++)
        VOX_ASSERT(isfinite(v->info.spacing[i]) && v->info.spacing[i] > 0.0);
    for (int i = 0; i < 3; i++)
        VOX_ASSERT(isfinite(v->info.origin[i]));
    for (int i = 0; i < 9; i++)
        VOX_ASSERT(isfinite(v->info.direction[i]));
}

static const uint8_t *find_separator(const uint8_t *data, size_t size)
{
    const size_t n = sizeof separator - 1;

    for (size_t i = 0; i + n <= size; i++) {
        if (memcmp(data + i, separator, n) == 0)
            return data + i;
    }
    return NULL;
}

/** The same file once more, its voxels as they are stored: every one can be read. */
static void check_stored(const vox_format *f, const vox_bytes *file, const vox_bytes *part,
                         int n)
{
    vox_stored s = VOX_STORED_INIT;
    vox_volume v = {.stored = &s};

    VOX_ASSERT(f->read(&v, file, part, n) == VOX_OK && (v.data || s.voxels));
    s.info = v.info;
    for (int64_t c = 0; c < v.info.shape.n[0] && !v.data; c++) {
        const vox_grid g = vox_stored_grid(&s, c);

        VOX_ASSERT(vox_grid_stats(&g).count == g.n[0] * g.n[1] * g.n[2]);
    }
    vox_volume_release(&v);
    vox_stored_release(&s);
}

/** Everything a format offers, in the order that reading a file asks it. */
static void run_format(const vox_format *f, const uint8_t *data, size_t size,
                       const char *name)
{
    const uint8_t *at = find_separator(data, size);
    const uint8_t *behind = at ? at + sizeof separator - 1 : data + size;
    const vox_bytes file = {data, at ? (size_t)(at - data) : size, name};
    const vox_bytes one = {behind, (size_t)(data + size - behind), "part.gz"};
    const vox_bytes part[PARTS] = {one, one, one};
    vox_volume v = VOX_VOLUME_INIT;
    vox_volume_info info;
    vox_strs names = {0};
    const int head = f->info(&info, &file);

    if (f->parts(&names, &file) == VOX_OK && names.count <= PARTS &&
        f->read(&v, &file, part, (int)names.count) == VOX_OK) {
        VOX_ASSERT(head == VOX_OK && vox_shape_equal(info.shape, v.info.shape));
        check_volume(&v);
        check_stored(f, &file, part, (int)names.count);
    } else {
        VOX_ASSERT(*vox_error_text() || names.count > PARTS);
    }
    vox_strs_release(&names);
    vox_volume_release(&v);
}

#endif
