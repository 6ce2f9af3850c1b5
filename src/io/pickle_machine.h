/*
 * pickle_machine: what the two halves of the pickle reader share: the machine that executes
 * opcodes (pickle_read.c) and the meaning of globals (pickle_globals.c).
 */
#ifndef VOX_IO_PICKLE_MACHINE_H
#define VOX_IO_PICKLE_MACHINE_H

#include "base/compiler.h"
#include "base/dict.h"
#include "io/pickle.h"
#include "io/pickle_names.h"

/* Kinds that exist only while a pickle is read. */
enum {
    INNER_GLOBAL = VOX_OBJ_INNER, /* a class or function */
    INNER_STORAGE,                /* the storage a persistent id names */
    INNER_NP_DTYPE,
    INNER_NP_ARRAY /* reconstructed, its state still to come */
};

typedef struct inner_global {
    vox_pickle_global id;
    int dtype;
    const char *name; /* "module.name" */
} inner_global;

typedef struct inner_storage {
    const char *key;
    int dtype; /* -1: untyped, `count` is bytes */
    int64_t count;
} inner_storage;

typedef struct inner_np_dtype {
    char code; /* f i u b */
    int size;  /* bytes */
} inner_np_dtype;

/* An object of an inner kind: begins like any other. */
typedef struct inner_obj {
    vox_obj obj;
    union {
        inner_global global;
        inner_storage storage;
        inner_np_dtype np;
    };
} inner_obj;

struct vox_memo_slot;

typedef struct vox_machine {
    const unsigned char *begin, *p, *end;
    const char *name;
    size_t at; /* offset of the opcode being executed */
    unsigned flags;
    vox_tree *tree;
    vox_obj **stack;
    int64_t n, cap;
    int64_t *mark; /* stack heights */
    int64_t n_mark, cap_mark;
    struct vox_memo_slot *memo;
    int64_t memo_cap, memo_count;
    vox_obj *none, *truth[2];
    vox_dict storage_index; /* key -> number in `storage` */
    vox_storage **storage;
    int64_t n_storage, cap_storage;
} vox_machine;

/** VOX_E_FORMAT with file, offset and text. */
int vox_machine_fail(const vox_machine *m, const char *fmt, ...) VOX_PRINTF(2, 3);

/** A new inner object, or NULL. */
inner_obj *vox_machine_inner(vox_machine *m, int kind);

/** Make the object that a GLOBAL names. */
int vox_pickle_make_global(vox_machine *m, const char *module, const char *name,
                           vox_obj **out);

/** callable(*args) for REDUCE and NEWOBJ. */
int vox_pickle_reduce(vox_machine *m, vox_obj *callable, vox_obj *args, vox_obj **out);

/** BUILD: apply a state to an object. */
int vox_pickle_build(vox_machine *m, vox_obj *o, vox_obj *state);

/** BINPERSID: the storage that a persistent id names. */
int vox_pickle_storage(vox_machine *m, vox_obj *pid, vox_obj **out);

/** A tensor over a storage (pickle_tensor.c). `dtype` is -1, or the type of an untyped
 * storage's elements. */
int vox_pickle_tensor(vox_machine *m, vox_obj *storage, vox_obj *offset, vox_obj *size,
                      vox_obj *stride, int dtype, vox_obj **out);

/** numpy scalar(dtype, bytes), dtype(code, ...), and the states of dtype and ndarray
 * (pickle_numpy.c). */
int vox_pickle_np_scalar(vox_machine *m, vox_obj *args, vox_obj **out);
int vox_pickle_np_dtype(vox_machine *m, vox_obj *args, vox_obj **out);
int vox_pickle_np_dtype_state(vox_machine *m, vox_obj *o, vox_obj *state);
int vox_pickle_np_array_state(vox_machine *m, vox_obj *o, vox_obj *state);

#endif
