/*
 * pickle, reading: what the known globals mean. Nothing is ever called: a global is a
 * number of an enum, and "calling" it makes a value from its arguments. checkpoints.md 5.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "io/pickle_machine.h"

static vox_obj *opaque(vox_machine *m, const char *name)
{
    return vox_obj_text(m->tree, VOX_OBJ_OPAQUE, name, strlen(name));
}

int vox_pickle_make_global(vox_machine *m, const char *module, const char *name,
                           vox_obj **out)
{
    int dtype;
    const vox_pickle_global id = vox_pickle_global_of(module, name, &dtype);
    const char *full = vox_arena_printf(&m->tree->arena, "%s.%s", module, name);
    inner_obj *o;

    if (!full)
        return VOX_E_NOMEM;
    if (id == VOX_GLOBAL_UNKNOWN) {
        if (!(m->flags & VOX_PICKLE_SKIP_UNKNOWN))
            return vox_machine_fail(m, "uses global '%s': refused", full);
        *out = opaque(m, full);
        return *out ? VOX_OK : VOX_E_NOMEM;
    }
    if (id == VOX_GLOBAL_DTYPE) {
        *out = vox_obj_text(m->tree, VOX_OBJ_DTYPE, full, strlen(full));
        return *out ? VOX_OK : VOX_E_NOMEM;
    }
    o = vox_machine_inner(m, INNER_GLOBAL);
    if (!o)
        return VOX_E_NOMEM;
    o->global = (inner_global){id, dtype, full};
    *out = &o->obj;
    return VOX_OK;
}

static int bad_args(const vox_machine *m, const vox_obj *callable)
{
    const inner_obj *o = (const inner_obj *)callable;

    return vox_machine_fail(m, "wrong arguments of '%s'", o->global.name);
}

/* Do the arguments begin with these kinds? A letter each: b bool, i int, n number, s str,
 * y bytes, t tuple, l list, d dict, T tensor, x anything. "|": the rest may be absent. */
static int args_are(const vox_obj *args, const char *kinds)
{
    static const char letter[] = {
        [VOX_OBJ_NONE] = 'N',   [VOX_OBJ_BOOL] = 'b',  [VOX_OBJ_INT] = 'i',
        [VOX_OBJ_FLOAT] = 'f',  [VOX_OBJ_STR] = 's',   [VOX_OBJ_BYTES] = 'y',
        [VOX_OBJ_LIST] = 'l',   [VOX_OBJ_TUPLE] = 't', [VOX_OBJ_DICT] = 'd',
        [VOX_OBJ_TENSOR] = 'T', [VOX_OBJ_INNER] = 0,
    };
    int64_t i = 0;
    int optional = 0;

    for (const char *k = kinds; *k; k++) {
        const vox_obj *o;

        if (*k == '|') {
            optional = 1;
            continue;
        }
        if (i == args->list.count)
            return optional;
        o = args->list.item[i++];
        if (*k == 'n' && (o->kind == VOX_OBJ_INT || o->kind == VOX_OBJ_FLOAT))
            continue;
        if (*k != 'x' && (o->kind >= VOX_OBJ_INNER || letter[o->kind] != *k))
            return 0;
    }
    return i == args->list.count;
}

static vox_obj *arg(const vox_obj *args, int64_t i)
{
    return i < args->list.count ? args->list.item[i] : NULL;
}

static int ordered_dict(vox_machine *m, const vox_obj *callable, const vox_obj *args,
                        vox_obj **out)
{
    vox_obj *dict = vox_obj_dict(m->tree);
    const vox_obj *pairs = arg(args, 0);

    if (!args_are(args, "|l"))
        return bad_args(m, callable);
    for (int64_t i = 0; pairs && i < pairs->list.count; i++) {
        const vox_obj *p = pairs->list.item[i];

        if ((p->kind != VOX_OBJ_LIST && p->kind != VOX_OBJ_TUPLE) || p->list.count != 2)
            return bad_args(m, callable);
        vox_obj_set_obj(m->tree, dict, p->list.item[0], p->list.item[1]);
    }
    *out = dict;
    return vox_tree_status(m->tree);
}

static int tensor(vox_machine *m, const vox_obj *callable, const vox_obj *args,
                  vox_obj **out)
{
    const inner_obj *c = (const inner_obj *)callable;
    const vox_obj *type = arg(args, 6);
    int dtype = -1;

    switch (c->global.id) {
    case VOX_GLOBAL_TENSOR_V1:
        if (!args_are(args, "xitt"))
            return bad_args(m, callable);
        break;
    case VOX_GLOBAL_TENSOR_V2:
        if (!args_are(args, "xittbd|x"))
            return bad_args(m, callable);
        break;
    default:
        if (!args_are(args, "xittbdx|x") || type->kind != VOX_OBJ_DTYPE)
            return bad_args(m, callable);
        vox_pickle_global_of("torch", type->str.text + strlen("torch."), &dtype);
        if (dtype < 0)
            return vox_machine_fail(m, "a tensor of %s is not supported", type->str.text);
    }
    return vox_pickle_tensor(m, args->list.item[0], args->list.item[1], args->list.item[2],
                             args->list.item[3], dtype, out);
}

static int device(vox_machine *m, const vox_obj *callable, const vox_obj *args,
                  vox_obj **out)
{
    const vox_obj *type = arg(args, 0), *index = arg(args, 1);
    char text[64];

    if (!args_are(args, "s|i") || type->str.len > 32)
        return bad_args(m, callable);
    if (index)
        snprintf(text, sizeof text, "%s:%lld", type->str.text, (long long)index->i);
    else
        snprintf(text, sizeof text, "%s", type->str.text);
    *out = vox_obj_device(m->tree, text);
    return VOX_OK;
}

/* Text whose code points are bytes (protocol 2 has no bytes of its own). */
static int encode(vox_machine *m, const vox_obj *callable, const vox_obj *args,
                  vox_obj **out)
{
    const vox_obj *text = arg(args, 0);
    const char *s;
    char *d;
    vox_obj *o;

    if (!args_are(args, "s|s"))
        return bad_args(m, callable);
    o = vox_obj_text(m->tree, VOX_OBJ_BYTES, text->str.text, text->str.len);
    if (!o)
        return VOX_E_NOMEM;
    s = text->str.text;
    d = (char *)(uintptr_t)o->str.text; /* our copy, not longer than the text */
    for (size_t i = 0; i < text->str.len; i++) {
        unsigned c = (unsigned char)s[i];

        if (c >= 0xc4)
            return vox_machine_fail(m, "text above latin-1 where bytes should be");
        if (c >= 0xc2)
            c = (c & 3) << 6 | ((unsigned char)s[++i] & 0x3f);
        *d++ = (char)c;
    }
    *d = '\0';
    o->str.len = (size_t)(d - o->str.text);
    *out = o;
    return VOX_OK;
}

/* bytearray(), bytearray(bytes) or bytearray(str, 'latin-1') */
static int byte_array(vox_machine *m, const vox_obj *callable, vox_obj *args, vox_obj **out)
{
    if (args->list.count == 0)
        *out = vox_obj_text(m->tree, VOX_OBJ_BYTES, "", 0);
    else if (args_are(args, "y"))
        *out = args->list.item[0];
    else
        return encode(m, callable, args, out);
    return VOX_OK;
}

static int complex_number(vox_machine *m, const vox_obj *callable, vox_obj *args,
                          vox_obj **out)
{
    if (!args_are(args, "nn"))
        return bad_args(m, callable);
    *out = args;
    return VOX_OK;
}

/* An array whose contents come with BUILD. */
static int np_reconstruct(vox_machine *m, const vox_obj *callable, const vox_obj *args,
                          vox_obj **out)
{
    const inner_obj *cls = args->list.count == 3 ? (const inner_obj *)arg(args, 0) : NULL;
    inner_obj *o;

    if (!cls || (int)cls->obj.kind != INNER_GLOBAL || cls->global.id != VOX_GLOBAL_NP_ARRAY)
        return bad_args(m, callable);
    o = vox_machine_inner(m, INNER_NP_ARRAY);
    *out = o ? &o->obj : NULL;
    return o ? VOX_OK : VOX_E_NOMEM;
}

/* The first argument, which must be of that kind. */
static int first(vox_machine *m, const vox_obj *callable, vox_obj *args, vox_obj_kind kind,
                 vox_obj **out)
{
    if (args->list.count == 0 || args->list.item[0]->kind != kind)
        return bad_args(m, callable);
    *out = args->list.item[0];
    return VOX_OK;
}

static int call(vox_machine *m, const inner_obj *c, vox_obj *args, vox_obj **out)
{
    const vox_obj *callable = &c->obj;

    switch (c->global.id) {
    case VOX_GLOBAL_ORDERED_DICT:
        return ordered_dict(m, callable, args, out);
    case VOX_GLOBAL_TENSOR_V1:
    case VOX_GLOBAL_TENSOR_V2:
    case VOX_GLOBAL_TENSOR_V3:
        return tensor(m, callable, args, out);
    case VOX_GLOBAL_PARAMETER:
    case VOX_GLOBAL_PARAMETER_CLASS:
        return first(m, callable, args, VOX_OBJ_TENSOR, out);
    case VOX_GLOBAL_DEVICE:
        return device(m, callable, args, out);
    case VOX_GLOBAL_SIZE:
        return first(m, callable, args, VOX_OBJ_TUPLE, out);
    case VOX_GLOBAL_SET:
        return first(m, callable, args, VOX_OBJ_LIST, out);
    case VOX_GLOBAL_ENCODE:
        return encode(m, callable, args, out);
    case VOX_GLOBAL_COMPLEX:
        return complex_number(m, callable, args, out);
    case VOX_GLOBAL_BYTEARRAY:
        return byte_array(m, callable, args, out);
    case VOX_GLOBAL_NP_SCALAR:
        return vox_pickle_np_scalar(m, args, out);
    case VOX_GLOBAL_NP_DTYPE:
        return vox_pickle_np_dtype(m, args, out);
    case VOX_GLOBAL_NP_RECONSTRUCT:
        return np_reconstruct(m, callable, args, out);
    default:
        return vox_machine_fail(m, "'%s' is called: refused", c->global.name);
    }
}

int vox_pickle_reduce(vox_machine *m, vox_obj *callable, vox_obj *args, vox_obj **out)
{
    int rc;

    if (args->kind != VOX_OBJ_TUPLE)
        return vox_machine_fail(m, "arguments are a %s, wanted a tuple",
                                vox_obj_kind_name(args->kind));
    if (callable->kind == VOX_OBJ_OPAQUE) {
        *out = opaque(m, callable->str.text);
        return *out ? VOX_OK : VOX_E_NOMEM;
    }
    if ((int)callable->kind != INNER_GLOBAL)
        return vox_machine_fail(m, "a %s is called", vox_obj_kind_name(callable->kind));
    *out = NULL;
    rc = call(m, (const inner_obj *)callable, args, out);
    return rc == VOX_OK && !*out ? VOX_E_NOMEM : rc;
}

int vox_pickle_build(vox_machine *m, vox_obj *o, vox_obj *state)
{
    switch ((int)o->kind) {
    case VOX_OBJ_DICT:   /* an OrderedDict's attributes: _metadata */
    case VOX_OBJ_TENSOR: /* Python attributes of an old Parameter */
    case VOX_OBJ_OPAQUE:
        return VOX_OK;
    case INNER_NP_DTYPE:
        return vox_pickle_np_dtype_state(m, o, state);
    case INNER_NP_ARRAY:
        return vox_pickle_np_array_state(m, o, state);
    default:
        return vox_machine_fail(m, "a state is given to a %s", vox_obj_kind_name(o->kind));
    }
}
