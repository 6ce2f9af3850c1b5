/*
 * pickle, reading: the machine. A stack of objects, marks in it, a memo, one function per
 * group of opcodes. No C recursion over file data: nesting is the stack's.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "io/pickle_machine.h"

enum { LINE_MAX_LEN = 255 }; /* of a module's or class's name */

struct vox_memo_slot {
    int64_t key; /* 1 + index; 0: free */
    vox_obj *obj;
};

int vox_machine_fail(const vox_machine *m, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return vox_fail(VOX_E_FORMAT, "%s: pickle offset %zu: %s", m->name, m->at, text);
}

inner_obj *vox_machine_inner(vox_machine *m, int kind)
{
    inner_obj *o = vox_arena_alloc(&m->tree->arena, 1, sizeof *o);

    if (o)
        o->obj.kind = (vox_obj_kind)kind;
    return o;
}

/* The stack. Nothing below the last mark can be reached. */

static int push(vox_machine *m, vox_obj *o)
{
    if (!o)
        return VOX_E_NOMEM;
    VOX_TRY(vox_grow(&m->stack, &m->cap, m->n + 1, sizeof *m->stack));
    m->stack[m->n++] = o;
    return VOX_OK;
}

static int need(const vox_machine *m, int64_t n)
{
    const int64_t floor = m->n_mark ? m->mark[m->n_mark - 1] : 0;

    return m->n - floor < n ? vox_machine_fail(m, "the stack is empty") : VOX_OK;
}

static int pop(vox_machine *m, vox_obj **out)
{
    VOX_TRY(need(m, 1));
    *out = m->stack[--m->n];
    return VOX_OK;
}

/* Take the mark away; the items above it are stack[*from .. n). */
static int pop_mark(vox_machine *m, int64_t *from)
{
    if (m->n_mark == 0)
        return vox_machine_fail(m, "there is no mark");
    *from = m->mark[--m->n_mark];
    return VOX_OK;
}

static int push_mark(vox_machine *m)
{
    VOX_TRY(vox_grow(&m->mark, &m->cap_mark, m->n_mark + 1, sizeof *m->mark));
    m->mark[m->n_mark++] = m->n;
    return VOX_OK;
}

/* The memo: open addressing, so that any index costs the same. */

static struct vox_memo_slot *memo_place(const vox_machine *m, int64_t key)
{
    const uint64_t mask = (uint64_t)m->memo_cap - 1;
    uint64_t i = (uint64_t)key * 0x9e3779b97f4a7c15u >> 32 & mask;

    while (m->memo[i].key && m->memo[i].key != key)
        i = (i + 1) & mask;
    return &m->memo[i];
}

static int memo_enlarge(vox_machine *m)
{
    struct vox_memo_slot *old = m->memo;
    const int64_t cap = m->memo_cap;

    m->memo = vox_zalloc(cap ? 2 * (size_t)cap : 64, sizeof *m->memo);
    if (!m->memo) {
        m->memo = old;
        return VOX_E_NOMEM;
    }
    m->memo_cap = cap ? 2 * cap : 64;
    for (int64_t i = 0; i < cap; i++) {
        if (old[i].key)
            *memo_place(m, old[i].key) = old[i];
    }
    vox_free(old);
    return VOX_OK;
}

static int memo_put(vox_machine *m, int64_t index)
{
    struct vox_memo_slot *s;

    VOX_TRY(need(m, 1));
    if (index > INT32_MAX)
        return vox_machine_fail(m, "memo index %lld is too large", (long long)index);
    if (2 * (m->memo_count + 1) > m->memo_cap)
        VOX_TRY(memo_enlarge(m));
    s = memo_place(m, index + 1);
    m->memo_count += s->key == 0;
    *s = (struct vox_memo_slot){index + 1, m->stack[m->n - 1]};
    return VOX_OK;
}

static int memo_get(vox_machine *m, int64_t index)
{
    const struct vox_memo_slot *s = m->memo_cap ? memo_place(m, index + 1) : NULL;

    if (!s || !s->key)
        return vox_machine_fail(m, "memo entry %lld is not there", (long long)index);
    return push(m, s->obj);
}

/* Arguments of opcodes. */

static int take(vox_machine *m, size_t n, const unsigned char **out)
{
    if (n > (size_t)(m->end - m->p))
        return vox_machine_fail(m, "the pickle ends within an opcode");
    *out = m->p;
    m->p += n;
    return VOX_OK;
}

static int take_number(vox_machine *m, int bytes, int64_t *out)
{
    const unsigned char *p = NULL;
    uint64_t v = 0;

    VOX_TRY(take(m, (size_t)bytes, &p));
    for (int i = bytes - 1; i >= 0; i--)
        v = v << 8 | p[i];
    *out = (int64_t)v;
    return VOX_OK;
}

static int take_line(vox_machine *m, char out[static LINE_MAX_LEN + 1])
{
    int n = 0;

    for (;; m->p++) {
        if (m->p == m->end)
            return vox_machine_fail(m, "the pickle ends within an opcode");
        if (*m->p == '\n')
            break;
        if (*m->p <= ' ' || *m->p > '~' || n == LINE_MAX_LEN)
            return vox_machine_fail(m, "a global's name is not a word");
        out[n++] = (char)*m->p;
    }
    m->p++;
    out[n] = '\0';
    return VOX_OK;
}

/* Values. */

static int op_int(vox_machine *m, int bytes)
{
    int64_t v = 0;

    VOX_TRY(take_number(m, bytes, &v));
    if (bytes == 4)
        v = (int32_t)(uint32_t)v;
    return push(m, vox_obj_int(m->tree, v));
}

static int op_long1(vox_machine *m)
{
    const unsigned char *p = NULL;
    uint64_t v = 0;
    int64_t n = 0;

    VOX_TRY(take_number(m, 1, &n));
    VOX_TRY(take(m, (size_t)n, &p));
    while (n > 8 && p[n - 1] == (p[n - 2] & 0x80 ? 0xff : 0))
        n--; /* bytes that only repeat the sign */
    if (n > 8)
        return vox_machine_fail(m, "an int of %lld bytes, at most 8 are understood",
                                (long long)n);
    if (n && p[n - 1] & 0x80)
        v = ~(uint64_t)0;
    for (int64_t i = n - 1; i >= 0; i--)
        v = v << 8 | p[i];
    return push(m, vox_obj_int(m->tree, (int64_t)v));
}

static int op_float(vox_machine *m)
{
    const unsigned char *p = NULL;
    uint64_t bits = 0;
    double v;

    VOX_TRY(take(m, 8, &p));
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | p[i];
    memcpy(&v, &bits, sizeof v);
    return push(m, vox_obj_float(m->tree, v));
}

static int op_text(vox_machine *m, vox_obj_kind kind, int length_bytes)
{
    const unsigned char *p = NULL;
    int64_t n = 0;

    VOX_TRY(take_number(m, length_bytes, &n));
    VOX_TRY(take(m, (size_t)n, &p));
    if (kind == VOX_OBJ_STR && !vox_utf8_valid((const char *)p, (size_t)n, 1))
        return vox_machine_fail(m, "a str is not UTF-8");
    return push(m, vox_obj_text(m->tree, kind, (const char *)p, (size_t)n));
}

/* Containers. */

static int op_tuple(vox_machine *m, int64_t from)
{
    vox_obj *o = vox_obj_tuple(m->tree);

    for (int64_t i = from; i < m->n; i++)
        vox_obj_append(m->tree, o, m->stack[i]);
    m->n = from;
    VOX_TRY(vox_tree_status(m->tree));
    return push(m, o);
}

static int op_tuple_n(vox_machine *m, int n)
{
    VOX_TRY(need(m, n));
    return op_tuple(m, m->n - n);
}

static int op_tuple_mark(vox_machine *m)
{
    int64_t from = 0;

    VOX_TRY(pop_mark(m, &from));
    return op_tuple(m, from);
}

/* Append stack[from .. n) to the list below them. */
static int append_from(vox_machine *m, int64_t from)
{
    vox_obj *list;
    const int64_t n = m->n;

    m->n = from;
    VOX_TRY(need(m, 1));
    list = m->stack[m->n - 1];
    if (list->kind == VOX_OBJ_OPAQUE)
        return VOX_OK;
    if (list->kind != VOX_OBJ_LIST)
        return vox_machine_fail(m, "items appended to a %s", vox_obj_kind_name(list->kind));
    for (int64_t i = from; i < n; i++)
        vox_obj_append(m->tree, list, m->stack[i]);
    return vox_tree_status(m->tree);
}

/* Put the pairs stack[from .. n) into the dict below them. */
static int set_from(vox_machine *m, int64_t from)
{
    vox_obj *dict;
    const int64_t n = m->n;

    m->n = from;
    VOX_TRY(need(m, 1));
    dict = m->stack[m->n - 1];
    if (dict->kind == VOX_OBJ_OPAQUE)
        return VOX_OK;
    if (dict->kind != VOX_OBJ_DICT || (n - from) % 2)
        return vox_machine_fail(m, "%lld items put into a %s", (long long)(n - from),
                                vox_obj_kind_name(dict->kind));
    for (int64_t i = from; i < n; i += 2)
        vox_obj_set_obj(m->tree, dict, m->stack[i], m->stack[i + 1]);
    return vox_tree_status(m->tree);
}

static int op_many(vox_machine *m, int (*put)(vox_machine *, int64_t))
{
    int64_t from = 0;

    VOX_TRY(pop_mark(m, &from));
    return put(m, from);
}

static int op_few(vox_machine *m, int (*put)(vox_machine *, int64_t), int n)
{
    VOX_TRY(need(m, n + 1));
    return put(m, m->n - n);
}

/* Classes and calls. */

static int op_global(vox_machine *m)
{
    char module[LINE_MAX_LEN + 1], name[LINE_MAX_LEN + 1];
    vox_obj *o = NULL;

    VOX_TRY(take_line(m, module));
    VOX_TRY(take_line(m, name));
    VOX_TRY(vox_pickle_make_global(m, module, name, &o));
    return push(m, o);
}

static int is_word(const vox_obj *o)
{
    if (o->kind != VOX_OBJ_STR || o->str.len == 0 || o->str.len > LINE_MAX_LEN)
        return 0;
    for (size_t i = 0; i < o->str.len; i++) {
        if (o->str.text[i] <= ' ' || o->str.text[i] > '~')
            return 0;
    }
    return 1;
}

/* The same with both names on the stack. */
static int op_stack_global(vox_machine *m)
{
    vox_obj *module = NULL, *name = NULL, *o = NULL;

    VOX_TRY(pop(m, &name));
    VOX_TRY(pop(m, &module));
    if (!is_word(name) || !is_word(module))
        return vox_machine_fail(m, "a global's name is not a word");
    VOX_TRY(vox_pickle_make_global(m, module->str.text, name->str.text, &o));
    return push(m, o);
}

static int op_reduce(vox_machine *m)
{
    vox_obj *args = NULL, *callable = NULL, *o = NULL;

    VOX_TRY(pop(m, &args));
    VOX_TRY(pop(m, &callable));
    VOX_TRY(vox_pickle_reduce(m, callable, args, &o));
    return push(m, o);
}

static int op_build(vox_machine *m)
{
    vox_obj *state = NULL;

    VOX_TRY(pop(m, &state));
    VOX_TRY(need(m, 1));
    return vox_pickle_build(m, m->stack[m->n - 1], state);
}

static int op_persistent(vox_machine *m)
{
    vox_obj *pid = NULL, *o = NULL;

    VOX_TRY(pop(m, &pid));
    VOX_TRY(vox_pickle_storage(m, pid, &o));
    return push(m, o);
}

static int op_memo(vox_machine *m, int bytes, int (*f)(vox_machine *, int64_t))
{
    int64_t index = 0;

    VOX_TRY(take_number(m, bytes, &index));
    return f(m, index);
}

static int op_memoize(vox_machine *m)
{
    return memo_put(m, m->memo_count);
}

/* A frame only says how far to read ahead. */
static int op_frame(vox_machine *m)
{
    int64_t length = 0;

    return take_number(m, 8, &length);
}

static int op_proto(vox_machine *m)
{
    int64_t v = 0;

    VOX_TRY(take_number(m, 1, &v));
    if (m->at != 0 || v < 2 || v > 5)
        return vox_machine_fail(m, "protocol %lld, wanted 2 to 5", (long long)v);
    return VOX_OK;
}

static int execute(vox_machine *m, unsigned char code)
{
    /* clang-format off */
    switch (code) {
    case 0x80: return op_proto(m);
    case 'N': return push(m, m->none);
    case 0x88: return push(m, m->truth[1]);
    case 0x89: return push(m, m->truth[0]);
    case 'K': return op_int(m, 1);
    case 'M': return op_int(m, 2);
    case 'J': return op_int(m, 4);
    case 0x8a: return op_long1(m);
    case 'G': return op_float(m);
    case 'X': return op_text(m, VOX_OBJ_STR, 4);
    case 'U': return op_text(m, VOX_OBJ_STR, 1);
    case 'B': return op_text(m, VOX_OBJ_BYTES, 4);
    case 'C': return op_text(m, VOX_OBJ_BYTES, 1);
    case 0x8c: return op_text(m, VOX_OBJ_STR, 1);
    case 0x8d: return op_text(m, VOX_OBJ_STR, 8);
    case 0x8e: return op_text(m, VOX_OBJ_BYTES, 8);
    case 0x93: return op_stack_global(m);
    case 0x94: return op_memoize(m);
    case 0x95: return op_frame(m);
    case '(': return push_mark(m);
    case '}': return push(m, vox_obj_dict(m->tree));
    case ']': return push(m, vox_obj_list(m->tree));
    case ')': return push(m, vox_obj_tuple(m->tree));
    case 't': return op_tuple_mark(m);
    case 0x85: return op_tuple_n(m, 1);
    case 0x86: return op_tuple_n(m, 2);
    case 0x87: return op_tuple_n(m, 3);
    case 'a': return op_few(m, append_from, 1);
    case 'e': return op_many(m, append_from);
    case 's': return op_few(m, set_from, 2);
    case 'u': return op_many(m, set_from);
    case 'c': return op_global(m);
    case 'R': return op_reduce(m);
    case 0x81: return op_reduce(m); /* NEWOBJ: cls.__new__(cls, *args) */
    case 'b': return op_build(m);
    case 'Q': return op_persistent(m);
    case 'q': return op_memo(m, 1, memo_put);
    case 'r': return op_memo(m, 4, memo_put);
    case 'h': return op_memo(m, 1, memo_get);
    case 'j': return op_memo(m, 4, memo_get);
    default: break;
    }
    /* clang-format on */
    return vox_machine_fail(m, "opcode %s (0x%02x) is refused",
                            vox_pickle_opcode_name(code), code);
}

/* One container on the path from the root. */
typedef struct frame {
    vox_obj *obj;
    int64_t next; /* child to visit */
    int depth;    /* of the deepest child so far */
} frame;

static int is_container(const vox_obj *o)
{
    return o->kind == VOX_OBJ_LIST || o->kind == VOX_OBJ_TUPLE || o->kind == VOX_OBJ_DICT;
}

/* Visit a child: containers not yet seen are entered. depth: 0 unseen, -1 on the path. */
static int enter(vox_machine *m, frame *path, int *n, vox_obj *o)
{
    if (o->kind >= VOX_OBJ_INNER)
        return vox_machine_fail(m, "a class or a bare storage stands where a value should");
    if (o->depth == 0 && !is_container(o))
        o->depth = 1;
    if (o->depth < 0)
        return vox_machine_fail(m, "a container contains itself");
    if (o->depth + *n > VOX_PICKLE_DEPTH)
        return vox_machine_fail(m, "nested deeper than %d", VOX_PICKLE_DEPTH);
    if (o->depth == 0) {
        o->depth = -1;
        path[(*n)++] = (frame){o, 0, 0};
    } else if (*n && path[*n - 1].depth < o->depth) {
        path[*n - 1].depth = o->depth;
    }
    return VOX_OK;
}

/* The result must be a tree of bounded depth (shared parts are fine), of values only. */
static int check_tree(vox_machine *m, vox_obj *root)
{
    frame path[VOX_PICKLE_DEPTH + 1];
    int n = 0;

    VOX_TRY(enter(m, path, &n, root));
    while (n > 0) {
        frame *f = &path[n - 1];

        if (f->next < f->obj->list.count) {
            VOX_TRY(enter(m, path, &n, f->obj->list.item[f->next++]));
            continue;
        }
        f->obj->depth = 1 + f->depth;
        n--;
        if (n && path[n - 1].depth < f->obj->depth)
            path[n - 1].depth = f->obj->depth;
    }
    return VOX_OK;
}

static int run(vox_machine *m)
{
    vox_obj *root = NULL;

    m->none = vox_obj_none(m->tree);
    m->truth[0] = vox_obj_bool(m->tree, 0);
    m->truth[1] = vox_obj_bool(m->tree, 1);
    if (m->p == m->end || *m->p != 0x80)
        return vox_machine_fail(m, "not a pickle of protocol 2");
    for (;;) {
        unsigned char code;

        m->at = (size_t)(m->p - m->begin);
        if (m->p == m->end)
            return vox_machine_fail(m, "the pickle ends without STOP");
        code = *m->p++;
        if (code == '.')
            break;
        VOX_TRY(execute(m, code));
    }
    VOX_TRY(pop(m, &root));
    VOX_TRY(check_tree(m, root));
    m->tree->root = root;
    return vox_tree_status(m->tree);
}

int vox_pickle_parse(vox_tree *out, const void *bytes, size_t len, const char *name,
                     unsigned flags)
{
    vox_machine m = {.name = name, .flags = flags, .tree = out};
    int rc;

    m.begin = m.p = bytes ? bytes : (const void *)"";
    m.end = m.p + len;
    *out = (vox_tree)VOX_TREE_INIT;
    rc = run(&m);
    vox_free(m.stack);
    vox_free(m.mark);
    vox_free(m.memo);
    vox_free(m.storage);
    vox_dict_release(&m.storage_index);
    if (rc != VOX_OK)
        vox_tree_release(out);
    return rc;
}
