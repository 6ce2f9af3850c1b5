/* image: see image.h. */
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "support/image.h"

int image_read(vox_volume *v, const vox_format *f, const char *header, const void *voxels,
               size_t len)
{
    const size_t n = strlen(header);
    unsigned char *exact = malloc(n + len + !(n + len));
    const vox_bytes file = {exact, n + len, "input"};
    int rc;

    assert_non_null(exact);
    memcpy(exact, header, n);
    if (len)
        memcpy(exact + n, voxels, len);
    rc = f->read(v, &file, NULL, 0);
    free(exact);
    return rc;
}

int image_info(vox_volume_info *out, const vox_format *f, const char *header)
{
    const size_t n = strlen(header);
    char *exact = malloc(n + !n);
    const vox_bytes file = {exact, n, "input"};
    int rc;

    assert_non_null(exact);
    memcpy(exact, header, n);
    rc = f->info(out, &file);
    free(exact);
    return rc;
}

void image_count(unsigned char *out, int n, int size, int big, int first)
{
    for (int i = 0; i < n; i++, out += size) {
        for (int k = 0; k < size; k++)
            out[big ? size - 1 - k : k] = (unsigned char)((uint64_t)(first + i) >> 8 * k);
    }
}

void image_check_type(const vox_format *f, const char *header, int size, int big,
                      const char *format, const char *stored)
{
    enum { COUNT = 24 };
    unsigned char voxels[COUNT * sizeof(uint64_t)];
    vox_volume v = VOX_VOLUME_INIT;

    image_count(voxels, COUNT, size, big, 0);
    assert_int_equal(image_read(&v, f, header, voxels, COUNT * (size_t)size), VOX_OK);
    assert_string_equal(v.info.stored, stored);
    assert_string_equal(v.info.format, format);
    assert_true(vox_shape_equal(v.info.shape, VOX_SHAPE(1, 2, 3, 4)));
    for (int i = 0; i < COUNT; i++)
        assert_true(v.data[i] == (float)i);
    vox_volume_release(&v);
}

int image_says(const char *text)
{
    return strstr(vox_error_text(), text) != NULL;
}
