/* gather: dictionaries from ids to places. Parts of a key are parted by a byte that stands
 * in no name. */
#include "data/gather.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"

void vox_gather_init(vox_gather *g, vox_collection *c)
{
    *g = (vox_gather){.c = c};
}

void vox_gather_release(vox_gather *g)
{
    vox_dict_release(&g->at);
    vox_dict_release(&g->stems);
    vox_arena_release(&g->arena);
}

/* Where `key` is; where it is new, the number it gets. */
static int find(vox_gather *g, int64_t *at, int *added, const char *key, int64_t next)
{
    *at = key ? vox_dict_get(&g->at, key, -1) : -1;
    *added = *at < 0;
    if (!*added)
        return VOX_OK;
    *at = next;
    return key ? vox_dict_set(&g->at, key, next, NULL) : VOX_E_NOMEM;
}

static int find_dataset(vox_gather *g, vox_gathered *o, const vox_gather_image *im)
{
    int64_t at;

    VOX_TRY(find(g, &at, &o->new_dataset, vox_arena_strdup(&g->arena, im->dataset),
                 g->c->count));
    if (o->new_dataset && !vox_collection_add_dataset(g->c, im->dataset))
        return VOX_E_NOMEM;
    o->dataset = &g->c->dataset[at];
    return VOX_OK;
}

static int find_subject(vox_gather *g, vox_gathered *o, const vox_gather_image *im)
{
    int64_t at;

    VOX_TRY(find(g, &at, &o->new_subject,
                 vox_arena_printf(&g->arena, "%s\1%s", im->dataset, im->subject),
                 o->dataset->count));
    if (o->new_subject && !vox_collection_add_subject(g->c, o->dataset, im->subject))
        return VOX_E_NOMEM;
    o->subject = &o->dataset->subject[at];
    return VOX_OK;
}

static int find_session(vox_gather *g, vox_gathered *o, const vox_gather_image *im)
{
    int64_t at;

    VOX_TRY(find(
        g, &at, &o->new_session,
        vox_arena_printf(&g->arena, "%s\1%s\1%s", im->dataset, im->subject, im->session),
        o->subject->count));
    if (o->new_session && !vox_collection_add_session(g->c, o->subject, im->session))
        return VOX_E_NOMEM;
    o->session = &o->subject->session[at];
    return VOX_OK;
}

/* A name that no other image of the session has. */
static const char *free_name(vox_gather *g, const vox_gather_image *im)
{
    const char *scope =
        vox_arena_printf(&g->arena, "%s\1%s\1%s\1", im->dataset, im->subject, im->session);
    const char *name = scope ? vox_free_name(&g->arena, &g->stems, scope, im->name) : NULL;

    if (name && name != im->name) {
        g->renamed++;
        vox_log(VOX_INFO, "index",
                "%s: session %s of %s has an image %s already, this one is %s", im->path,
                im->session, im->subject, im->name, name);
    }
    return name;
}

int vox_gather_add(vox_gather *g, vox_gathered *out, const vox_gather_image *im)
{
    vox_gathered unwanted, *o = out ? out : &unwanted;
    const char *name;

    *o = (vox_gathered){0};
    VOX_TRY(find_dataset(g, o, im));
    VOX_TRY(find_subject(g, o, im));
    VOX_TRY(find_session(g, o, im));
    name = free_name(g, im);
    o->image =
        name ? vox_collection_add_image(g->c, o->session, name, im->path, im->modality)
             : NULL;
    if (!o->image)
        return VOX_E_NOMEM;
    VOX_TRY(vox_collection_set_masks(g->c, o->image, im->anon, im->anat));
    return im->info ? vox_collection_set_info(g->c, &o->image->info, im->info) : VOX_OK;
}

/* Is it a number as JSON writes them? */
static int is_number(const char *text)
{
    vox_json_pull p;
    vox_slice raw;

    if (!strchr("-0123456789", *text))
        return 0;
    vox_json_pull_init(&p, text, strlen(text), "");
    return vox_json_pull_value(&p, &raw) == VOX_OK && raw.n == strlen(text) &&
           strcmp(text, "-Infinity") != 0;
}

int vox_info_add(vox_buf *info, const char *key, const char *value, int as_text)
{
    if (!*value || !*key)
        return VOX_OK;
    VOX_TRY(vox_buf_add(info, info->len ? "," : "{", 1));
    VOX_TRY(vox_json_add_string(info, key, strlen(key)));
    VOX_TRY(vox_buf_add(info, ":", 1));
    if (!as_text && is_number(value))
        return vox_buf_add(info, value, strlen(value));
    return vox_json_add_string(info, value, strlen(value));
}
