/* pth: the zip container and the pickle put together. */
#include "io/pth.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "io/pickle.h"

enum { PIECE = 4 << 20, NAME_MAX_LEN = 512 };
static const size_t max_pickle = (size_t)1 << 30;

/* Files that torch wrote before it used zip, told apart for the message only. */
static int refuse_old(const unsigned char *b, size_t len, const char *name)
{
    static const unsigned char legacy[] = {0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c,
                                           0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};
    const char *what = NULL;

    if (len >= sizeof legacy && memcmp(b, legacy, sizeof legacy) == 0)
        what = "in the form of torch before 1.6";
    else if (len >= 262 && memcmp(b + 257, "ustar", 5) == 0)
        what = "a tar archive, the form of torch before 0.1.10";
    else if (len >= 1 && b[0] == 0x80)
        what = "a bare pickle, not a checkpoint of torch";
    if (!what)
        return VOX_OK;
    return vox_fail(VOX_E_FORMAT,
                    "%s: is %s; wanted a zip archive (load it in Python and save it again)",
                    name, what);
}

/* "<stem>/<name>" as an entry. */
static const vox_zip_entry *find(const vox_pth *p, size_t stem, const char *name)
{
    const char *first = p->zip.entry[0].name;
    char full[NAME_MAX_LEN];

    if (stem + strlen(name) >= sizeof full)
        return NULL;
    snprintf(full, sizeof full, "%.*s%s", (int)stem, first, name);
    return vox_zip_find(&p->zip, full);
}

/* Give every storage its entry's bytes. */
static int resolve_storages(vox_pth *p, size_t stem, const char *name)
{
    for (vox_storage *s = p->tree.storages; s; s = s->next) {
        const size_t wanted = (size_t)s->count * vox_dtype_size(s->dtype);
        const vox_zip_entry *e;
        char key[32];

        if (s->data || s->key < 0)
            continue; /* a NumPy array brings its own */
        snprintf(key, sizeof key, "data/%lld", (long long)s->key);
        e = find(p, stem, key);
        if (!e)
            return vox_fail(VOX_E_FORMAT, "%s: no entry %s", name, key);
        if (e->size != wanted)
            return vox_fail(VOX_E_FORMAT,
                            "%s: entry %s has %zu bytes, wanted %zu (%lld %s)", name, key,
                            e->size, wanted, (long long)s->count, vox_dtype_name(s->dtype));
        s->data = e->data;
    }
    return VOX_OK;
}

static void resolve_views(vox_tree *t)
{
    for (vox_obj_view *v = t->views; v; v = v->next)
        v->view.data = (const char *)v->storage->data +
                       (size_t)v->offset * vox_dtype_size(v->storage->dtype);
}

static int parse(vox_pth *p, const char *name, unsigned flags)
{
    const char *slash = p->zip.count ? strchr(p->zip.entry[0].name, '/') : NULL;
    const size_t stem = slash ? (size_t)(slash - p->zip.entry[0].name) + 1 : 0;
    const vox_zip_entry *pickle = stem ? find(p, stem, "data.pkl") : NULL;
    const vox_zip_entry *order = stem ? find(p, stem, "byteorder") : NULL;

    if (!pickle)
        return vox_fail(VOX_E_FORMAT,
                        "%s: a zip archive without data.pkl, not a checkpoint", name);
    if (order && (order->size != 6 || memcmp(order->data, "little", 6) != 0))
        return vox_fail(VOX_E_FORMAT, "%s: byte order \"%.*s\", wanted little", name,
                        order->size < 16 ? (int)order->size : 16,
                        (const char *)order->data);
    if (pickle->size > max_pickle)
        return vox_fail(VOX_E_FORMAT, "%s: data.pkl has %zu bytes, at most %zu", name,
                        pickle->size, max_pickle);
    if (!(flags & VOX_PTH_NO_CHECKSUMS))
        VOX_TRY(vox_zip_verify(&p->zip));
    VOX_TRY(vox_pickle_parse(&p->tree, pickle->data, pickle->size, name,
                             flags & VOX_PTH_SKIP_UNKNOWN ? VOX_PICKLE_SKIP_UNKNOWN : 0));
    VOX_TRY(resolve_storages(p, stem, name));
    resolve_views(&p->tree);
    return VOX_OK;
}

int vox_pth_parse(vox_pth *out, const void *bytes, size_t len, const char *name,
                  unsigned flags)
{
    int rc;

    *out = (vox_pth)VOX_PTH_INIT;
    VOX_TRY(refuse_old(bytes, len, name));
    VOX_TRY(vox_zip_parse(&out->zip, bytes, len, name));
    rc = parse(out, name, flags);
    if (rc != VOX_OK)
        vox_pth_release(out);
    return rc;
}

int vox_pth_read(vox_pth *out, const char *path, unsigned flags)
{
    vox_map map;
    int rc;

    *out = (vox_pth)VOX_PTH_INIT;
    VOX_TRY(vox_map_open(&map, path));
    rc = vox_pth_parse(out, map.data, map.len, path, flags);
    if (rc == VOX_OK)
        out->map = map;
    else
        vox_map_close(&map);
    return rc;
}

void vox_pth_release(vox_pth *p)
{
    vox_tree_release(&p->tree);
    vox_zip_release(&p->zip);
    vox_map_close(&p->map);
}

static int put_fetched(vox_zip_writer *w, const vox_storage *s, void *piece)
{
    const size_t size = vox_dtype_size(s->dtype);
    const int64_t most = PIECE / (int64_t)size;

    for (int64_t at = 0; at < s->count; at += most) {
        const int64_t n = s->count - at < most ? s->count - at : most;

        VOX_TRY(s->fetch(s->arg, at, n, piece));
        VOX_TRY(vox_zip_put(w, piece, (size_t)n * size));
    }
    return VOX_OK;
}

static int put_storage(vox_zip_writer *w, const vox_storage *s)
{
    const size_t n = (size_t)s->count * vox_dtype_size(s->dtype);
    char key[32];
    void *piece;
    int rc;

    snprintf(key, sizeof key, "data/%lld", (long long)s->key);
    if (!s->fetch)
        return vox_zip_add(w, key, s->data, n);
    piece = vox_alloc(n < PIECE ? n + 1 : PIECE, 1);
    if (!piece)
        return VOX_E_NOMEM;
    rc = vox_zip_open(w, key, n);
    if (rc == VOX_OK)
        rc = put_fetched(w, s, piece);
    vox_free(piece);
    return rc == VOX_OK ? vox_zip_close(w) : rc;
}

static int put_all(vox_zip_writer *w, const vox_buf *pickle, const vox_storages *storages)
{
    VOX_TRY(vox_zip_add(w, "data.pkl", pickle->data, pickle->len));
    VOX_TRY(vox_zip_add(w, "byteorder", "little", 6));
    for (int64_t i = 0; i < storages->count; i++)
        VOX_TRY(put_storage(w, storages->item[i]));
    VOX_TRY(vox_zip_add(w, "version", "3\n", 2));
    return vox_zip_end(w);
}

/* "checkpoint_final/" of "runs/checkpoint_final.pth". */
static char *stem_of(const char *path)
{
    const char *base = vox_path_base(path), *dot = strrchr(base, '.');
    const size_t n = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    char *stem = vox_alloc(n + 2, 1);

    if (stem) {
        memcpy(stem, base, n);
        memcpy(stem + n, "/", 2);
    }
    return stem;
}

static int write_file(const char *path, const char *stem, const vox_buf *pickle,
                      const vox_storages *storages)
{
    vox_writer file;
    vox_zip_writer w;
    int rc;

    VOX_TRY(vox_writer_open(&file, path));
    vox_zip_begin(&w, file.f, path, stem);
    rc = put_all(&w, pickle, storages);
    vox_zip_writer_release(&w);
    if (rc == VOX_OK)
        return vox_writer_commit(&file);
    vox_writer_abort(&file);
    return rc;
}

int vox_pth_write(const char *path, const vox_tree *tree)
{
    vox_buf pickle = VOX_BUF_INIT;
    vox_storages storages = VOX_STORAGES_INIT;
    char *stem = stem_of(path);
    int rc = stem ? vox_pickle_write(&pickle, &storages, tree) : VOX_E_NOMEM;

    if (rc == VOX_OK)
        rc = write_file(path, stem, &pickle, &storages);
    else
        rc = vox_fail_in(rc, "in %s", path);
    vox_storages_release(&storages);
    vox_buf_release(&pickle);
    vox_free(stem);
    return rc;
}
