/* volume: reading a file of any known format. The parsers see bytes only; files end here.
 */
#include "image/volume.h"

#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

enum { HEAD = 1 << 16 }; /* a header is in the first 64 KiB, compressed or not */

static const vox_format *need_format(const char *path)
{
    const vox_format *f = vox_format_of(path);

    if (!f)
        vox_fail(VOX_E_FORMAT,
                 "%s: no image format has this ending, wanted .nii or .nii.gz", path);
    return f;
}

int vox_volume_read(vox_volume *out, const char *path)
{
    const vox_format *format = need_format(path);
    vox_buf bytes = VOX_BUF_INIT;
    int rc = format ? vox_file_read(&bytes, path) : VOX_E_FORMAT;

    if (rc == VOX_OK)
        rc = format->read(out, bytes.data, bytes.len, path);
    vox_buf_release(&bytes);
    return rc;
}

/* At most the first HEAD bytes of a file. */
static int read_head(vox_buf *out, const char *path)
{
    FILE *f = fopen(path, "rb");
    int rc;

    if (!f)
        return vox_fail_errno(errno == ENOENT ? VOX_E_MISSING : VOX_E_IO, "%s: cannot open",
                              path);
    rc = vox_buf_resize(out, HEAD);
    if (rc == VOX_OK) {
        out->len = fread(out->data, 1, HEAD, f);
        if (ferror(f))
            rc = vox_fail_errno(VOX_E_IO, "%s: cannot read", path);
    }
    fclose(f);
    return rc;
}

int vox_volume_read_info(vox_volume_info *out, const char *path)
{
    const vox_format *format = need_format(path);
    vox_buf bytes = VOX_BUF_INIT;
    int rc = format ? read_head(&bytes, path) : VOX_E_FORMAT;

    if (rc == VOX_OK)
        rc = format->info(out, bytes.data, bytes.len, path);
    vox_buf_release(&bytes);
    return rc;
}

void vox_volume_release(vox_volume *v)
{
    if (!v)
        return;
    vox_free(v->data);
    *v = (vox_volume)VOX_VOLUME_INIT;
}
