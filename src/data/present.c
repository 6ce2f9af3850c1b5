/* present: the list is read token by token: with each dataset's info repeated in each entry
 * it is larger than the collection. */
#include "data/present.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json_pull.h"
#include "io/map.h"

static const char ending[] = ".b2nd";

static int walk(vox_present *p, const char *folder, const char *below);

static int take_entry(vox_present *p, const char *folder, const char *below,
                      const char *name)
{
    const char *path = *below ? vox_arena_printf(&p->arena, "%s/%s", below, name) : name;
    const char *full, *stem;

    if (!path)
        return VOX_E_NOMEM;
    if (vox_ends_with(name, ending)) {
        stem = vox_arena_text(&p->arena, path, strlen(path) - strlen(ending));
        return stem ? vox_dict_set(&p->files, stem, 1, NULL) : VOX_E_NOMEM;
    }
    if (vox_ends_with(name, ".json") || vox_ends_with(name, ".pkl"))
        return VOX_OK; /* the most of what else is there; anything else may be a folder */
    full = vox_arena_printf(&p->arena, "%s/%s", folder, name);
    if (!full)
        return VOX_E_NOMEM;
    return vox_is_dir(full) ? walk(p, full, path) : VOX_OK;
}

static int walk(vox_present *p, const char *folder, const char *below)
{
    vox_strs names = {0};
    int rc = vox_dir_list(&names, folder);

    if (rc != VOX_OK && rc != VOX_E_NOMEM && *below)
        rc = VOX_OK;
    for (int64_t i = 0; i < names.count && rc == VOX_OK; i++)
        rc = take_entry(p, folder, below, names.v[i]);
    vox_strs_release(&names);
    return rc;
}

int vox_present_walk(vox_present *p, const char *folder)
{
    return walk(p, folder, "");
}

/* The unique id of an entry, appended. */
static int entry_id(vox_buf *id, vox_slice entry)
{
    static const char *const keys[] = {"collection_name", "dataset_index", "subject_id",
                                       "session_id", "image_name"};

    if (*entry.p == '"')
        return vox_json_unescape(id, (vox_slice){entry.p + 1, entry.n - 2});
    for (int i = 0; i < 5; i++) {
        vox_slice v;

        if (i)
            VOX_TRY(vox_buf_add(id, "__", 2));
        if (!vox_json_find(entry, keys[i], &v))
            continue;
        if (*v.p == '"')
            VOX_TRY(vox_json_unescape(id, (vox_slice){v.p + 1, v.n - 2}));
        else
            VOX_TRY(vox_buf_add(id, v.p, v.n));
    }
    return VOX_OK;
}

static int take_entries(vox_present *p, vox_json_pull *j, vox_buf *id)
{
    vox_slice entry;
    int more;

    VOX_TRY(vox_json_pull_open(j, VOX_JSON_ARRAY));
    while ((more = vox_json_pull_item(j)) > 0) {
        const char *key;

        VOX_TRY(vox_json_pull_value(j, &entry));
        VOX_TRY(vox_buf_resize(id, 0));
        VOX_TRY(entry_id(id, entry));
        key = vox_arena_text(&p->arena, vox_buf_text(id), id->len);
        if (!key)
            return VOX_E_NOMEM;
        VOX_TRY(vox_dict_set(&p->valid, key, 1, NULL));
    }
    VOX_TRY(more);
    return vox_json_pull_finish(j);
}

int vox_present_parse(vox_present *p, const char *text, size_t len, const char *name)
{
    vox_json_pull j;
    vox_buf id = VOX_BUF_INIT;
    int rc;

    vox_json_pull_init(&j, text, len, name);
    if (vox_json_pull_kind(&j) != VOX_JSON_ARRAY && vox_json_pull_kind(&j) != VOX_JSON_NONE)
        return vox_fail(VOX_E_FORMAT, "%s: is %s, wanted a list of images", name,
                        vox_json_kind_name(vox_json_pull_kind(&j)));
    rc = take_entries(p, &j, &id);
    p->has_list = rc == VOX_OK;
    vox_buf_release(&id);
    return rc;
}

int vox_present_list(vox_present *p, const char *path)
{
    vox_map text = VOX_MAP_INIT;
    int rc;

    if (!vox_file_exists(path))
        return VOX_OK;
    rc = vox_map_open(&text, path);
    if (rc == VOX_OK)
        rc = vox_present_parse(p, text.data ? (const char *)text.data : "", text.len, path);
    vox_map_close(&text);
    return rc;
}

void vox_present_release(vox_present *p)
{
    vox_dict_release(&p->files);
    vox_dict_release(&p->valid);
    vox_arena_release(&p->arena);
}
