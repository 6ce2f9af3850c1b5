/*
 * opt: option tables. One row gives parsing, range check, default, help text, config key.
 *
 *     typedef struct mae_cfg { float hidden; int block; } mae_cfg;
 *     static const vox_opt opts[] = {
 *         VOX_OPT_F32(mae_cfg, hidden, 0.75, 0.0, 1.0, "fraction of blocks hidden"),
 *         VOX_OPT_INT(mae_cfg, block, 16, 1, 128, "edge of a block, in voxels"),
 *         VOX_OPT_END,
 *     };
 *
 * A config is a plain struct. Strings in it are owned by the config (vox_opts_release).
 * Values are written as in JSON: 0.5, true, [16,32], "text"; a bare word is a string.
 */
#ifndef VOX_BASE_OPT_H
#define VOX_BASE_OPT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct json_object;

typedef enum vox_opt_kind {
    VOX_OPT_KIND_END,
    VOX_OPT_KIND_BOOL,  /* int 0 or 1; on a command line a switch */
    VOX_OPT_KIND_INT,   /* int */
    VOX_OPT_KIND_I64,   /* int64_t */
    VOX_OPT_KIND_F32,   /* float */
    VOX_OPT_KIND_F64,   /* double */
    VOX_OPT_KIND_STR,   /* char *, NULL when not given */
    VOX_OPT_KIND_INTS,  /* vox_ints */
    VOX_OPT_KIND_STRS,  /* vox_strs; on a command line repeatable */
    VOX_OPT_KIND_WORDS, /* vox_strs; on a command line all words up to the next option */
} vox_opt_kind;

enum { VOX_INTS_MAX = 16 };

/** A short list of integers; count 0 = not given. */
typedef struct vox_ints {
    int count;
    int v[VOX_INTS_MAX];
} vox_ints;

/** A list of strings, owned. */
typedef struct vox_strs {
    int64_t count, cap;
    char **v;
} vox_strs;

typedef struct vox_opt {
    const char *name; /* field name: "val_steps" is the flag --val-steps */
    vox_opt_kind kind;
    size_t offset;
    double def, min, max;
    const char *def_text; /* default of STR and INTS, or NULL */
    const char *help;
    const char *flags; /* further spellings on a command line, "-tr --trainer", or NULL */
    const char *alone; /* of a STR on a command line: what --name means, its value being
                        * optional and written --name=value; NULL: a value must follow */
} vox_opt;

#define VOX_OPT_ROW_(type, field, kind, def, min, max, text, help, flags)           \
    {                                                                               \
#field, kind, offsetof(type, field), def, min, max, text, help, flags, NULL \
    }
#define VOX_OPT_BOOL(type, field, def, help) \
    VOX_OPT_ROW_(type, field, VOX_OPT_KIND_BOOL, def, 0, 1, NULL, help, NULL)
#define VOX_OPT_INT(type, field, def, min, max, help) \
    VOX_OPT_ROW_(type, field, VOX_OPT_KIND_INT, def, min, max, NULL, help, NULL)
#define VOX_OPT_I64(type, field, def, min, max, help) \
    VOX_OPT_ROW_(type, field, VOX_OPT_KIND_I64, def, min, max, NULL, help, NULL)
#define VOX_OPT_F32(type, field, def, min, max, help) \
    VOX_OPT_ROW_(type, field, VOX_OPT_KIND_F32, def, min, max, NULL, help, NULL)
#define VOX_OPT_F64(type, field, def, min, max, help) \
    VOX_OPT_ROW_(type, field, VOX_OPT_KIND_F64, def, min, max, NULL, help, NULL)
#define VOX_OPT_STR(type, field, def, help) \
    VOX_OPT_ROW_(type, field, VOX_OPT_KIND_STR, 0, 0, 0, def, help, NULL)
#define VOX_OPT_STR_ALONE(type, field, def, alone, help)                                 \
    {                                                                                    \
#field, VOX_OPT_KIND_STR, offsetof(type, field), 0, 0, 0, def, help, NULL, alone \
    }
#define VOX_OPT_INTS(type, field, def, min, max, help) \
    VOX_OPT_ROW_(type, field, VOX_OPT_KIND_INTS, 0, min, max, def, help, NULL)
#define VOX_OPT_STRS(type, field, help) \
    VOX_OPT_ROW_(type, field, VOX_OPT_KIND_STRS, 0, 0, 0, NULL, help, NULL)
/** Any row with further spellings: VOX_OPT_AS("-tr", type, trainer, STR, 0,0,0, NULL,
 * "..."). */
#define VOX_OPT_AS(flags, type, field, kind, def, min, max, text, help) \
    VOX_OPT_ROW_(type, field, VOX_OPT_KIND_##kind, def, min, max, text, help, flags)
#define VOX_OPT_END                                                \
    {                                                              \
        NULL, VOX_OPT_KIND_END, 0, 0, 0, 0, NULL, NULL, NULL, NULL \
    }

/** Fill a config (uninitialised memory is fine) with the defaults. @return VOX_OK;
 * VOX_E_NOMEM */
int vox_opts_defaults(const vox_opt *opts, void *cfg);

/** Release what a config owns; it is then zero. */
void vox_opts_release(const vox_opt *opts, void *cfg);

/** The row of that name, or NULL (no message). */
const vox_opt *vox_opts_find(const vox_opt *opts, const char *name);

/**
 * Set one field from text.
 * @return VOX_OK; VOX_E_USAGE for an unknown name (with "did you mean") or a value of the
 *         wrong kind or out of range (naming both)
 */
int vox_opts_set(const vox_opt *opts, void *cfg, const char *name, const char *text);

/** vox_opts_set from a JSON value. */
int vox_opts_set_json(const vox_opt *opts, void *cfg, const char *name,
                      struct json_object *value);

/** Set every key of a JSON object. */
int vox_opts_set_object(const vox_opt *opts, void *cfg, struct json_object *object);

/** All fields as a new JSON object (caller puts it); NULL without memory. */
struct json_object *vox_opts_json(const vox_opt *opts, const void *cfg);

/** A row's value as vox_opts_set takes it, appended: "0.01", "2,2,2". A text that is NULL
 * (not set) appends nothing, as an empty one does. @return VOX_OK; VOX_E_NOMEM */
int vox_opt_text(vox_buf *out, const vox_opt *o, const void *cfg);

/** A table with its config, and which rows a command line set. */
typedef struct vox_opt_set {
    const vox_opt *opts;
    void *cfg;
    unsigned char *given; /* one byte per row, set to 1; or NULL */
} vox_opt_set;

/**
 * Parse a command line against several tables: --name value, --name=value, switches, rows
 * that may stand alone, the further spellings; "--" ends options. Options may stand among
 * the words.
 *
 * @param[in,out] argc, argv  options are taken out, words stay in order
 * @return VOX_OK; VOX_E_USAGE
 */
int vox_opts_args(const vox_opt_set *sets, int n_sets, int *argc, char **argv);

/** Help lines of a table, two columns, flags as typed on a command line (`flags` = 1) or as
 * --set keys below `prefix` (`flags` = 0). */
int vox_opts_help(const vox_opt *opts, int flags, const char *prefix, vox_buf *out);

/** Spelling n of a row on a command line into text: "--val-steps", then the listed ones.
 * @return 0 past the last, text is then unchanged */
int vox_opt_spelling(char text[static 64], const vox_opt *o, int n);

/** What stands behind the row's flag in help texts: " N", " TEXT...", "[=TEXT]" where it
 * may be left out, "" for a switch. */
const char *vox_opt_placeholder(const vox_opt *o);

/** The row's help and default: "samples per step (default 2)". */
int vox_opt_describe(vox_buf *out, const vox_opt *o);

/**
 * The candidate nearest to a misspelt word (edit distance <= 2, or a prefix), or NULL.
 * @param name  returns the i-th candidate, NULL after the last
 */
const char *vox_suggest(const char *word, const char *(*name)(int i, void *arg), void *arg);

/** vox_suggest, as the candidate's index; -1 when none is near. A text that `name` returns
 * need only last until the next call. */
int vox_suggest_index(const char *word, const char *(*name)(int i, void *arg), void *arg);

/** Append a copy of `text`. @return VOX_OK; VOX_E_NOMEM */
int vox_strs_add(vox_strs *list, const char *text);

/** Release the list; it is then empty. */
void vox_strs_release(vox_strs *list);

#endif
