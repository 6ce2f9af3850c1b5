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

int image_says(const char *text)
{
    return strstr(vox_error_text(), text) != NULL;
}
