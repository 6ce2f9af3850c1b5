/* json_pretty: a checked JSON text written anew, as Python's json.dump(indent=4) does. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/json_pull.h"
#include "base/mem.h"

enum { INDENT = 4 };

/* Keys are compared as UTF-8, which orders as code points do. */
typedef struct member {
    const char *key; /* escapes resolved */
    size_t len;
    vox_slice value;
    int64_t at; /* of the last of its name wins, as in Python */
} member;

typedef struct members {
    member *v;
    int64_t count, cap;
    vox_buf keys;
} members;

int vox_json_line(vox_buf *out, const char *before, int depth)
{
    static const char spaces[] = "                                ";
    const int whole = (int)sizeof spaces - 1;

    VOX_TRY(vox_buf_add(out, before, strlen(before)));
    VOX_TRY(vox_buf_add(out, "\n", 1));
    for (int left = depth * INDENT; left > 0; left -= whole)
        VOX_TRY(vox_buf_add(out, spaces, (size_t)(left < whole ? left : whole)));
    return VOX_OK;
}

static int compare_keys(const void *a, const void *b)
{
    const member *x = a, *y = b;
    const int c = memcmp(x->key, y->key, x->len < y->len ? x->len : y->len);

    if (c || x->len != y->len)
        return c ? c : x->len < y->len ? -1 : 1;
    return x->at < y->at ? -1 : 1;
}

static int compare_order(const void *a, const void *b)
{
    const member *x = a, *y = b;

    return x->at < y->at ? -1 : 1;
}

static int collect(members *m, vox_slice raw)
{
    vox_json_pull p;
    vox_slice key;
    int more;

    vox_json_pull_init(&p, raw.p, raw.n, "");
    VOX_TRY(vox_json_pull_open(&p, VOX_JSON_OBJECT));
    while ((more = vox_json_pull_key(&p, &key)) > 0) {
        const size_t from = m->keys.len;
        member *n;

        VOX_TRY(vox_grow(&m->v, &m->cap, m->count + 1, sizeof *m->v));
        n = &m->v[m->count];
        *n = (member){.at = m->count};
        VOX_TRY(vox_json_unescape(&m->keys, key));
        n->len = m->keys.len - from;
        VOX_TRY(vox_json_pull_value(&p, &n->value));
        m->count++;
    }
    return more;
}

/* Sorted, or in their order; of several members with one name the last is left. */
static void arrange(members *m, int sort)
{
    int64_t n = 0;
    size_t from = 0;

    for (int64_t i = 0; i < m->count; i++) {
        m->v[i].key = vox_buf_text(&m->keys) + from;
        from += m->v[i].len;
    }
    if (m->count)
        qsort(m->v, (size_t)m->count, sizeof *m->v, compare_keys);
    for (int64_t i = 0; i < m->count; i++) {
        const member *next = i + 1 < m->count ? &m->v[i + 1] : NULL;

        if (!next || next->len != m->v[i].len ||
            memcmp(next->key, m->v[i].key, next->len) != 0)
            m->v[n++] = m->v[i];
    }
    m->count = n;
    if (!sort && n)
        qsort(m->v, (size_t)n, sizeof *m->v, compare_order);
}

static int put_members(vox_buf *out, const members *m, int depth, int sort)
{
    if (m->count == 0)
        return vox_buf_add(out, "{}", 2);
    for (int64_t i = 0; i < m->count; i++) {
        VOX_TRY(vox_json_line(out, i ? "," : "{", depth + 1));
        VOX_TRY(vox_json_add_string(out, m->v[i].key, m->v[i].len));
        VOX_TRY(vox_buf_add(out, ": ", 2));
        VOX_TRY(vox_json_pretty(out, m->v[i].value, depth + 1, sort));
    }
    VOX_TRY(vox_json_line(out, "", depth));
    return vox_buf_add(out, "}", 1);
}

static int put_object(vox_buf *out, vox_slice raw, int depth, int sort)
{
    members m = {0};
    int rc = collect(&m, raw);

    if (rc == VOX_OK) {
        arrange(&m, sort);
        rc = put_members(out, &m, depth, sort);
    }
    vox_free(m.v);
    vox_buf_release(&m.keys);
    return rc;
}

static int put_array(vox_buf *out, vox_slice raw, int depth, int sort)
{
    vox_json_pull p;
    vox_slice item;
    int more, any = 0;

    vox_json_pull_init(&p, raw.p, raw.n, "");
    VOX_TRY(vox_json_pull_open(&p, VOX_JSON_ARRAY));
    while ((more = vox_json_pull_item(&p)) > 0) {
        VOX_TRY(vox_json_pull_value(&p, &item));
        VOX_TRY(vox_json_line(out, any ? "," : "[", depth + 1));
        VOX_TRY(vox_json_pretty(out, item, depth + 1, sort));
        any = 1;
    }
    VOX_TRY(more);
    if (!any)
        return vox_buf_add(out, "[]", 2);
    VOX_TRY(vox_json_line(out, "", depth));
    return vox_buf_add(out, "]", 1);
}

static int put_string(vox_buf *out, vox_slice raw)
{
    const vox_slice inside = {raw.p + 1, raw.n - 2};
    vox_buf text = VOX_BUF_INIT;
    int rc = vox_json_unescape(&text, inside);

    if (rc == VOX_OK)
        rc = vox_json_add_string(out, vox_buf_text(&text), text.len);
    vox_buf_release(&text);
    return rc;
}

int vox_json_pretty(vox_buf *out, vox_slice raw, int depth, int sort)
{
    vox_json_pull p;

    vox_json_pull_init(&p, raw.p, raw.n, "");
    switch (vox_json_pull_kind(&p)) {
    case VOX_JSON_OBJECT:
        return put_object(out, raw, depth, sort);
    case VOX_JSON_ARRAY:
        return put_array(out, raw, depth, sort);
    case VOX_JSON_STRING:
        return put_string(out, raw);
    default:
        return vox_buf_add(out, raw.p, raw.n);
    }
}
