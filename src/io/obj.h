/*
 * obj: the values that a checkpoint is made of: a tree of None, bool, int, float, str,
 * list, tuple, dict and tensors, as Python knows them.
 *
 * Everything of a tree lives in it and is released with it. Building cannot fail half-way
 * unseen: the builders return NULL without memory, take NULL as a child, and the tree keeps
 * the first error, asked for once by vox_tree_status().
 *
 *     vox_tree t = VOX_TREE_INIT;
 *     vox_obj *weights = vox_obj_dict(&t);
 *     vox_storage *s = vox_storage_new(&t, VOX_F32, 6, values);
 *
 *     vox_obj_set(&t, weights, "conv.weight", vox_obj_tensor(&t, s, 0, VOX_SHAPE(2, 3)));
 *     vox_obj_set(&t, weights, "alias", vox_obj_get(weights, "conv.weight"));
 *     t.root = vox_obj_dict(&t);
 *     vox_obj_set(&t, t.root, "network_weights", weights);
 *     vox_obj_set(&t, t.root, "current_epoch", vox_obj_int(&t, 3));
 *     VOX_TRY(vox_tree_status(&t));
 *
 * Tensors are views of a storage. Two tensors over one storage share memory, and the file
 * holds the bytes once.
 */
#ifndef VOX_IO_OBJ_H
#define VOX_IO_OBJ_H

#include "base/arena.h"
#include "io/tensor_file.h"

struct json_object;

typedef enum vox_obj_kind {
    VOX_OBJ_NONE,
    VOX_OBJ_BOOL,
    VOX_OBJ_INT,
    VOX_OBJ_FLOAT,
    VOX_OBJ_STR,
    VOX_OBJ_BYTES,
    VOX_OBJ_LIST,
    VOX_OBJ_TUPLE,
    VOX_OBJ_DICT, /* ordered; of a key that is there twice the later one counts */
    VOX_OBJ_TENSOR,
    VOX_OBJ_DEVICE, /* "cuda:0" */
    VOX_OBJ_DTYPE,  /* "torch.float32" */
    VOX_OBJ_OPAQUE, /* something skipped: its class name */
    VOX_OBJ_INNER   /* from here on: only while a pickle is read */
} vox_obj_kind;

/** Fetch elements [first, first + count) of a storage into dst, for writing. */
typedef int (*vox_fetch_fn)(void *arg, int64_t first, int64_t count, void *dst);

/** A run of elements. */
typedef struct vox_storage {
    int64_t key; /* its name in the file is data/<key>; -1: none yet */
    vox_dtype dtype;
    int64_t count;
    const void *data; /* or NULL when it is fetched */
    vox_fetch_fn fetch;
    void *arg;
    struct vox_storage *next; /* of the tree */
} vox_storage;

typedef struct vox_obj vox_obj;

typedef struct vox_obj_view {
    vox_storage *storage;
    int64_t offset; /* in elements of view.dtype */
    vox_view view;
    struct vox_obj_view *next; /* of the tree */
} vox_obj_view;

struct vox_obj {
    vox_obj_kind kind;
    int depth; /* of the tree below; the reader's */
    union {
        int64_t i; /* BOOL, INT */
        double f;  /* FLOAT */
        struct {
            const char *text; /* followed by a zero that is not counted; may hold zeros */
            size_t len;
        } str; /* STR, BYTES, DEVICE, DTYPE, OPAQUE */
        struct {
            vox_obj **item; /* DICT: key, value, key, value, ... */
            int64_t count, cap;
        } list; /* LIST, TUPLE, DICT */
        vox_obj_view *tensor;
    };
};

typedef struct vox_tree {
    vox_obj *root;
    int status; /* the first error of a builder */
    vox_storage *storages;
    vox_obj_view *views;
    vox_arena arena;
} vox_tree;

#define VOX_TREE_INIT \
    {                 \
        0             \
    }

/** The first error of any builder of this tree. */
int vox_tree_status(const vox_tree *t);

/** Release a tree with all its objects; it is then empty. */
void vox_tree_release(vox_tree *t);

/* New objects, NULL without memory. Strings are copied. */
vox_obj *vox_obj_none(vox_tree *t);
vox_obj *vox_obj_bool(vox_tree *t, int v);
vox_obj *vox_obj_int(vox_tree *t, int64_t v);
vox_obj *vox_obj_float(vox_tree *t, double v);
vox_obj *vox_obj_str(vox_tree *t, const char *text);
vox_obj *vox_obj_device(vox_tree *t, const char *text);
vox_obj *vox_obj_list(vox_tree *t);
vox_obj *vox_obj_tuple(vox_tree *t);
vox_obj *vox_obj_dict(vox_tree *t);

/** STR, BYTES, DEVICE, DTYPE or OPAQUE with `len` bytes of any value. */
vox_obj *vox_obj_text(vox_tree *t, vox_obj_kind kind, const char *text, size_t len);

/** Append to a list or tuple. */
void vox_obj_append(vox_tree *t, vox_obj *list, vox_obj *item);

/** Append a pair to a dict; an earlier pair of the same key stays, but no longer counts. */
void vox_obj_set(vox_tree *t, vox_obj *dict, const char *key, vox_obj *value);

/** vox_obj_set with any object as the key. */
void vox_obj_set_obj(vox_tree *t, vox_obj *dict, vox_obj *key, vox_obj *value);

/** A storage over memory that is kept: it must outlive the tree. */
vox_storage *vox_storage_new(vox_tree *t, vox_dtype dtype, int64_t count, const void *data);

/** A storage whose elements are fetched, piece by piece in order, when the tree is written.
 */
vox_storage *vox_storage_fetched(vox_tree *t, vox_dtype dtype, int64_t count,
                                 vox_fetch_fn fetch, void *arg);

/** A contiguous tensor that begins at element `offset` of a storage and lies inside it. */
vox_obj *vox_obj_tensor(vox_tree *t, vox_storage *s, int64_t offset, vox_shape shape);

/** An object from JSON: null, bool, int, float, str, list, dict. */
vox_obj *vox_obj_from_json(vox_tree *t, struct json_object *value);

/** JSON from an object, tuples as arrays, keys as text, devices as their name.
 * @return VOX_OK with a new reference; VOX_E_ARG for tensors, bytes and opaque objects, or
 *         for more than 2^20 values, shared ones counted each time */
int vox_obj_to_json(struct json_object **out, const vox_obj *o);

/** "None", "bool", "int", ...: the kind as Python names it. */
const char *vox_obj_kind_name(vox_obj_kind kind);

/** The value of a key, or NULL when it is absent or `dict` is NULL or no dict. */
vox_obj *vox_obj_get(const vox_obj *dict, const char *key);

/** The value of an integer key (optimizer states), or NULL. */
vox_obj *vox_obj_get_int(const vox_obj *dict, int64_t key);

/* Members that must be there. `where` names the dict in messages:
 * "checkpoint_final.pth: logging". A missing key is VOX_E_MISSING; one of another kind
 * VOX_E_FORMAT, naming key, found and wanted. Results are borrowed from the tree. */

int vox_obj_need_dict(vox_obj **out, const vox_obj *dict, const char *key,
                      const char *where);
/** A list or a tuple. */
int vox_obj_need_list(vox_obj **out, const vox_obj *dict, const char *key,
                      const char *where);
int vox_obj_need_str(const char **out, const vox_obj *dict, const char *key,
                     const char *where);
int vox_obj_need_int(int64_t *out, const vox_obj *dict, const char *key, const char *where);
/** A float or an int. */
int vox_obj_need_float(double *out, const vox_obj *dict, const char *key,
                       const char *where);
int vox_obj_need_tensor(const vox_view **out, const vox_obj *dict, const char *key,
                        const char *where);

/**
 * A dict from str to tensor as a set of named tensors, in order, aliases marked. The set
 * borrows the tree's memory.
 *
 * @param[out] out  an _INIT set; empty on failure
 * @return VOX_OK; VOX_E_FORMAT for another kind of key or value, naming it; VOX_E_NOMEM
 */
int vox_obj_tensors(vox_tensors *out, const vox_obj *dict, const char *where);

#endif
