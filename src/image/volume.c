/*
 * volume: reading a file of any known format. The parsers see bytes only; files end here,
 * those that a header names among them.
 */
#include "image/volume.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/host.h"
#include "base/log.h"
#include "base/mem.h"

/* Most headers are in the first 64 KiB, compressed or not; none goes on for ever. */
enum { HEAD = 1 << 16, HEAD_MAX = 1 << 26 };

static const vox_format *need_format(const char *path)
{
    const vox_format *f = vox_format_of(path);
    char endings[128];

    if (!f)
        vox_fail(VOX_E_FORMAT, "%s: no image format has this ending, wanted one of %s",
                 path, vox_format_endings(endings));
    return f;
}

static vox_bytes bytes_of(const vox_buf *b, const char *name)
{
    return (vox_bytes){b->data ? b->data : "", b->len, name};
}

/* ---- headers ---- */

/* At most the first `most` bytes of a file. */
static int read_head(vox_buf *out, const char *path, size_t most)
{
    FILE *f = fopen(path, "rb");
    int rc;

    if (!f)
        return vox_fail_errno(errno == ENOENT ? VOX_E_MISSING : VOX_E_IO, "%s: cannot open",
                              path);
    rc = vox_buf_resize(out, most);
    if (rc == VOX_OK) {
        out->len = fread(out->data, 1, most, f);
        if (ferror(f))
            rc = vox_fail_errno(VOX_E_IO, "%s: cannot read", path);
    }
    fclose(f);
    return rc;
}

/* May a header go on behind the first bytes? One does that has no end in them, and one that
 * ends with a list of files, which looks whole wherever it is cut. */
static int is_cut(const vox_format *f, const vox_bytes *file)
{
    vox_strs names = {0};
    const int cut = f->long_header && file->len == HEAD &&
                    (f->parts(&names, file) != VOX_OK || names.count > 0);

    vox_strs_release(&names);
    return cut;
}

/* The bytes of a file in which its header is. */
static int read_header(vox_buf *out, const vox_format *f, const char *path)
{
    const int64_t size = vox_file_size(path);
    vox_bytes file;

    VOX_TRY(read_head(out, path, HEAD));
    file = bytes_of(out, path);
    if (!is_cut(f, &file))
        return VOX_OK;
    return read_head(out, path, size > HEAD && size < HEAD_MAX ? (size_t)size : HEAD_MAX);
}

/* Something that a header says; `arg` is what is asked for. */
typedef int (*question)(const vox_format *f, void *arg, const vox_bytes *file);

static int ask(question what, void *arg, const char *path)
{
    const vox_format *format = need_format(path);
    vox_buf bytes = VOX_BUF_INIT;
    int rc = format ? read_header(&bytes, format, path) : VOX_E_FORMAT;

    if (rc == VOX_OK) {
        const vox_bytes file = bytes_of(&bytes, path);

        rc = what(format, arg, &file);
    }
    vox_buf_release(&bytes);
    return rc;
}

static int ask_info(const vox_format *f, void *arg, const vox_bytes *file)
{
    return f->info(arg, file);
}

int vox_volume_read_info(vox_volume_info *out, const char *path)
{
    return ask(ask_info, out, path);
}

/* ---- parts ---- */

/* The path of a part: beside the file, unless its name begins at the root. */
static int part_path(vox_buf *out, const char *path, const char *part)
{
    const size_t folder = (size_t)(vox_path_base(path) - path);

    return vox_buf_printf(out, "%.*s%s", *part == '/' ? 0 : (int)folder, path, part);
}

/* "scan.img" becomes "scan.img.gz" and the other way round where only that is there. */
static int swap_gz(vox_buf *part)
{
    const int packed = vox_ends_with(part->data, ".gz");
    vox_buf other = VOX_BUF_INIT;
    int rc = vox_buf_printf(&other, "%.*s%s", (int)(part->len - (packed ? 3 : 0)),
                            part->data, packed ? "" : ".gz");

    if (rc == VOX_OK && vox_file_exists(other.data)) {
        const vox_buf old = *part;

        *part = other;
        other = old;
    }
    vox_buf_release(&other);
    return rc;
}

static int find_part(vox_strs *out, const vox_format *f, const char *path, const char *name)
{
    vox_buf part = VOX_BUF_INIT;
    int rc = part_path(&part, path, name);

    if (rc == VOX_OK && f->parts_or_gz && !vox_file_exists(part.data))
        rc = swap_gz(&part);
    if (rc == VOX_OK && !vox_file_exists(part.data))
        rc = vox_fail(VOX_E_MISSING, "%s: its voxels are in %s, which is not there", path,
                      part.data);
    if (rc == VOX_OK)
        rc = vox_strs_add(out, part.data);
    vox_buf_release(&part);
    return rc;
}

static int find_parts(vox_strs *out, const vox_format *f, const vox_bytes *file)
{
    vox_strs names = {0};
    int rc = f->parts ? f->parts(&names, file) : VOX_OK;

    for (int64_t i = 0; i < names.count && rc == VOX_OK; i++)
        rc = find_part(out, f, file->name, names.v[i]);
    vox_strs_release(&names);
    return rc;
}

static int ask_parts(const vox_format *f, void *arg, const vox_bytes *file)
{
    return find_parts(arg, f, file);
}

int vox_volume_parts(vox_strs *out, const char *path)
{
    return ask(ask_parts, out, path);
}

/* ---- everything ---- */

/* Files in memory. */
typedef struct loaded {
    vox_strs path;
    vox_buf *buf;
    vox_bytes *bytes;
} loaded;

static void loaded_release(loaded *l)
{
    for (int64_t i = 0; i < l->path.count && l->buf; i++)
        vox_buf_release(&l->buf[i]);
    vox_free(l->buf);
    vox_free(l->bytes);
    vox_strs_release(&l->path);
}

/* A header of a few bytes may name a large file a thousand times. */
static int check_room(const loaded *l, const char *header)
{
    const double room = (double)vox_host_memory(), gib = 1 << 30;
    double all = 0;

    for (int64_t i = 0; i < l->path.count; i++)
        all += (double)vox_file_size(l->path.v[i]);
    return all <= room ? VOX_OK
                       : vox_fail(VOX_E_NOMEM,
                                  "%s: the files with its voxels have %.1f GiB, wanted at "
                                  "most the %.1f GiB of memory that are free",
                                  header, all / gib, room / gib);
}

static int load(loaded *l)
{
    const size_t n = (size_t)l->path.count;

    if (n == 0)
        return VOX_OK;
    l->buf = vox_zalloc(n, sizeof *l->buf);
    l->bytes = vox_zalloc(n, sizeof *l->bytes);
    if (!l->buf || !l->bytes)
        return VOX_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        VOX_TRY(vox_file_read(&l->buf[i], l->path.v[i]));
        l->bytes[i] = bytes_of(&l->buf[i], l->path.v[i]);
    }
    return VOX_OK;
}

static void warn(const vox_volume_info *info, const char *path)
{
    if (info->oblique)
        vox_log(VOX_WARN, "image",
                "%s: its axes are not at right angles; taken as if they were", path);
    if (info->unit != 1.0)
        vox_log(VOX_WARN, "image", "%s: lengths are in units of %g mm", path, info->unit);
}

int vox_volume_read_bytes(vox_volume *out, const vox_bytes *file)
{
    const vox_format *format = need_format(file->name);
    loaded parts = {.buf = NULL};
    int rc = format ? find_parts(&parts.path, format, file) : VOX_E_FORMAT;

    if (rc == VOX_OK)
        rc = check_room(&parts, file->name);
    if (rc == VOX_OK)
        rc = load(&parts);
    if (rc == VOX_OK)
        rc = format->read(out, file, parts.bytes, (int)parts.path.count);
    if (rc == VOX_OK)
        warn(&out->info, file->name);
    loaded_release(&parts);
    return rc;
}

int vox_volume_read(vox_volume *out, const char *path)
{
    vox_buf buf = VOX_BUF_INIT;
    vox_bytes file;
    int rc = need_format(path) ? vox_file_read(&buf, path) : VOX_E_FORMAT;

    file = bytes_of(&buf, path);
    if (rc == VOX_OK)
        rc = vox_volume_read_bytes(out, &file);
    vox_buf_release(&buf);
    return rc;
}

void vox_volume_release(vox_volume *v)
{
    if (!v)
        return;
    vox_free(v->data);
    *v = (vox_volume)VOX_VOLUME_INIT;
}
