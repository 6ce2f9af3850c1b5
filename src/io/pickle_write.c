/*
 * pickle, writing: the subset that every reader takes, without memo. checkpoints.md 13.
 *
 * Recursion is bounded by the depth of the tree, which is our own or was checked when read.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "io/pickle.h"
#include "io/pickle_names.h"

typedef struct writer {
    vox_buf *out;
    vox_storages *storages;
} writer;

static int value(writer *w, const vox_obj *o);

static int op(writer *w, char c)
{
    return vox_buf_add(w->out, &c, 1);
}

/* An opcode and `n` bytes of v, little endian. */
static int op_number(writer *w, char c, uint64_t v, int n)
{
    char b[9] = {c};

    for (int i = 0; i < n; i++)
        b[1 + i] = (char)(v >> 8 * i);
    return vox_buf_add(w->out, b, (size_t)n + 1);
}

static int text(writer *w, const char *s, size_t len)
{
    if (len > UINT32_MAX || !vox_utf8_valid(s, len, 0))
        return vox_fail(VOX_E_ARG, "\"%s\" is not UTF-8", s);
    VOX_TRY(op_number(w, 'X', len, 4));
    return vox_buf_add(w->out, s, len);
}

static int global(writer *w, const char *module, const char *name)
{
    return vox_buf_printf(w->out, "c%s\n%s\n", module, name);
}

static int integer(writer *w, int64_t v)
{
    int n = 8;

    if (v >= 0 && v <= 0xff)
        return op_number(w, 'K', (uint64_t)v, 1);
    if (v >= 0 && v <= 0xffff)
        return op_number(w, 'M', (uint64_t)v, 2);
    if (v >= INT32_MIN && v <= INT32_MAX)
        return op_number(w, 'J', (uint64_t)v, 4);
    while (n > 1 && v >= -((int64_t)1 << (8 * n - 9)) && v < (int64_t)1 << (8 * n - 9))
        n--;
    VOX_TRY(op_number(w, '\x8a', (uint64_t)n, 1));
    for (int i = 0; i < n; i++)
        VOX_TRY(op(w, (char)((uint64_t)v >> 8 * i)));
    return VOX_OK;
}

static int real(writer *w, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    VOX_TRY(op(w, 'G'));
    for (int i = 7; i >= 0; i--) /* the only big-endian value of a pickle */
        VOX_TRY(op(w, (char)(bits >> 8 * i)));
    return VOX_OK;
}

/* A tuple of numbers. */
static int numbers(writer *w, const int64_t *v, int n)
{
    if (n == 0)
        return op(w, ')');
    if (n > 3)
        VOX_TRY(op(w, '('));
    for (int i = 0; i < n; i++)
        VOX_TRY(integer(w, v[i]));
    return op(w, n > 3 ? 't' : (char)(0x84 + n));
}

static int items(writer *w, const vox_obj *o)
{
    for (int64_t i = 0; i < o->list.count; i++)
        VOX_TRY(value(w, o->list.item[i]));
    return VOX_OK;
}

static int list(writer *w, const vox_obj *o)
{
    const char begin = o->kind == VOX_OBJ_DICT ? '}' : ']';

    VOX_TRY(op(w, begin));
    if (o->list.count == 0)
        return VOX_OK;
    VOX_TRY(op(w, '('));
    VOX_TRY(items(w, o));
    return op(w, o->kind == VOX_OBJ_DICT ? 'u' : 'e');
}

static int tuple(writer *w, const vox_obj *o)
{
    const int64_t n = o->list.count;

    if (n == 0)
        return op(w, ')');
    if (n > 3)
        VOX_TRY(op(w, '('));
    VOX_TRY(items(w, o));
    return op(w, n > 3 ? 't' : (char)(0x84 + n));
}

/* torch.device('cuda', 0) from "cuda:0". */
static int device(writer *w, const vox_obj *o)
{
    const char *colon = memchr(o->str.text, ':', o->str.len);
    const size_t n = colon ? (size_t)(colon - o->str.text) : o->str.len;
    int64_t index = 0;

    VOX_TRY(global(w, "torch", "device"));
    VOX_TRY(text(w, o->str.text, n));
    for (const char *p = colon ? colon + 1 : ""; *p; p++) {
        if (*p < '0' || *p > '9' || index > 99999)
            return vox_fail(VOX_E_ARG, "\"%s\" is not a device", o->str.text);
        index = 10 * index + (*p - '0');
    }
    if (colon)
        VOX_TRY(integer(w, index));
    VOX_TRY(op(w, colon ? '\x86' : '\x85'));
    return op(w, 'R');
}

/* Protocol 2 knows no bytes: text of the same code points, encoded. */
static int bytes(writer *w, const vox_obj *o)
{
    vox_buf b = VOX_BUF_INIT;
    int rc = global(w, "_codecs", "encode");

    for (size_t i = 0; rc == VOX_OK && i < o->str.len; i++) {
        const unsigned char c = (unsigned char)o->str.text[i];
        const char two[2] = {(char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f))};

        rc = c < 0x80 ? vox_buf_add(&b, &c, 1) : vox_buf_add(&b, two, 2);
    }
    if (rc == VOX_OK)
        rc = text(w, vox_buf_text(&b), b.len);
    if (rc == VOX_OK)
        rc = text(w, "latin1", 6);
    vox_buf_release(&b);
    return rc == VOX_OK ? vox_buf_add(w->out, "\x86R", 2) : rc;
}

static int storage(writer *w, vox_storage *s)
{
    char key[24];

    if (s->key < 0) {
        VOX_TRY(vox_grow(&w->storages->item, &w->storages->cap, w->storages->count + 1,
                         sizeof *w->storages->item));
        s->key = w->storages->count;
        w->storages->item[w->storages->count++] = s;
    }
    snprintf(key, sizeof key, "%lld", (long long)s->key);
    VOX_TRY(op(w, '('));
    VOX_TRY(text(w, "storage", 7));
    VOX_TRY(global(w, "torch", vox_pickle_storage_name(s->dtype)));
    VOX_TRY(text(w, key, strlen(key)));
    VOX_TRY(text(w, "cpu", 3));
    VOX_TRY(integer(w, s->count));
    return vox_buf_add(w->out, "tQ", 2);
}

static int tensor(writer *w, const vox_obj_view *v)
{
    VOX_TRY(global(w, "torch._utils", "_rebuild_tensor_v2"));
    VOX_TRY(op(w, '('));
    VOX_TRY(storage(w, v->storage));
    VOX_TRY(integer(w, v->offset));
    VOX_TRY(numbers(w, v->view.shape.n, v->view.shape.rank));
    VOX_TRY(numbers(w, v->view.stride, v->view.shape.rank));
    VOX_TRY(op(w, '\x89')); /* no gradient */
    VOX_TRY(global(w, "collections", "OrderedDict"));
    return vox_buf_add(w->out, ")RtR", 4);
}

static int value(writer *w, const vox_obj *o)
{
    switch (o->kind) {
    case VOX_OBJ_NONE:
        return op(w, 'N');
    case VOX_OBJ_BOOL:
        return op(w, o->i ? '\x88' : '\x89');
    case VOX_OBJ_INT:
        return integer(w, o->i);
    case VOX_OBJ_FLOAT:
        return real(w, o->f);
    case VOX_OBJ_STR:
        return text(w, o->str.text, o->str.len);
    case VOX_OBJ_BYTES:
        return bytes(w, o);
    case VOX_OBJ_TUPLE:
        return tuple(w, o);
    case VOX_OBJ_LIST:
    case VOX_OBJ_DICT:
        return list(w, o);
    case VOX_OBJ_TENSOR:
        return tensor(w, o->tensor);
    case VOX_OBJ_DEVICE:
        return device(w, o);
    case VOX_OBJ_DTYPE: /* "torch.float32" */
        return global(w, "torch", o->str.text + strlen("torch."));
    default:
        return vox_fail(VOX_E_ARG, "a %s cannot be written", vox_obj_kind_name(o->kind));
    }
}

int vox_pickle_write(vox_buf *out, vox_storages *storages, const vox_tree *tree)
{
    writer w = {out, storages};

    VOX_TRY(tree->status);
    VOX_ASSERT(tree->root);
    for (vox_storage *s = tree->storages; s; s = s->next)
        s->key = -1;
    VOX_TRY(vox_buf_add(out, "\x80\x02", 2));
    VOX_TRY(value(&w, tree->root));
    return op(&w, '.');
}

void vox_storages_release(vox_storages *s)
{
    vox_free(s->item);
    *s = (vox_storages)VOX_STORAGES_INIT;
}
