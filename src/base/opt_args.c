/* opt_args: option tables on a command line, and their help text. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/opt.h"

/* Does the word up to n spell the row's "--val-steps" (or "--val_steps")? */
static int is_long_flag(const vox_opt *o, const char *word, size_t n)
{
    if (n != strlen(o->name) + 2 || word[0] != '-' || word[1] != '-')
        return 0;
    for (size_t i = 2; i < n; i++) {
        if (word[i] != o->name[i - 2] && !(word[i] == '-' && o->name[i - 2] == '_'))
            return 0;
    }
    return 1;
}

static int is_listed_flag(const vox_opt *o, const char *word, size_t n)
{
    const char *p = o->flags;

    while (p && *p) {
        const size_t m = strcspn(p, " ");

        if (m == n && memcmp(p, word, n) == 0)
            return 1;
        p += m + strspn(p + m, " ");
    }
    return 0;
}

static const vox_opt *find_flag(const vox_opt *opts, const char *word, size_t n)
{
    for (const vox_opt *o = opts; o->name; o++) {
        if (is_long_flag(o, word, n) || is_listed_flag(o, word, n))
            return o;
    }
    return NULL;
}

/* "--val-steps" into text. */
static void long_flag(char text[64], const vox_opt *o)
{
    snprintf(text, 64, "--%s", o->name);
    for (char *p = text; *p; p++)
        *p = *p == '_' ? '-' : *p;
}

/* All spellings of all tables, one after the other. */
typedef struct spellings {
    const vox_opt_set *sets;
    int n_sets;
    char text[64];
} spellings;

int vox_opt_spelling(char text[static 64], const vox_opt *o, int n)
{
    const char *p = o->flags;

    if (n == 0)
        long_flag(text, o);
    for (int i = 1; i < n && p && *p; i++) {
        p += strcspn(p, " ");
        p += strspn(p, " ");
    }
    if (n > 0 && p && *p)
        snprintf(text, 64, "%.*s", (int)strcspn(p, " "), p);
    return n == 0 || (p && *p);
}

const char *vox_opt_placeholder(const vox_opt *o)
{
    static const char *const text[] = {"",   "",      " N",       " N",    " X",
                                       " X", " TEXT", " N,N,...", " TEXT", " TEXT..."};

    return o->alone ? "[=TEXT]" : text[o->kind];
}

static const char *spelling(int i, void *arg)
{
    spellings *s = arg;

    for (int k = 0; k < s->n_sets; k++) {
        for (const vox_opt *o = s->sets[k].opts; o->name; o++) {
            for (int n = 0; vox_opt_spelling(s->text, o, n); n++) {
                if (i-- == 0)
                    return s->text;
            }
        }
    }
    return NULL;
}

static int fail_flag(const vox_opt_set *sets, int n_sets, const char *word)
{
    spellings all = {sets, n_sets, ""};
    char copy[64];
    int near;

    snprintf(copy, sizeof copy, "%.*s", (int)strcspn(word, "="), word);
    near = strlen(copy) > 2 ? vox_suggest_index(copy, spelling, &all) : -1;
    if (near < 0)
        return vox_fail(VOX_E_USAGE, "unknown option %s; -h lists them", copy);
    return vox_fail(VOX_E_USAGE, "unknown option %s, did you mean %s?", copy,
                    spelling(near, &all));
}

/* A word that is an option, not a negative number or a lone dash. */
static int looks_like_flag(const char *word)
{
    return word[0] == '-' && word[1] != '\0' && !(word[1] >= '0' && word[1] <= '9') &&
           word[1] != '.';
}

/* The values of an option at argv[*i]; moves *i to the last of them. */
static int take_values(const vox_opt_set *set, const vox_opt *o, int argc, char **argv,
                       int *i)
{
    const char *word = argv[*i], *equals = strchr(word, '=');

    if (equals)
        return vox_opts_set(set->opts, set->cfg, o->name, equals + 1);
    if (o->kind == VOX_OPT_KIND_BOOL || o->alone)
        return vox_opts_set(set->opts, set->cfg, o->name, o->alone ? o->alone : "true");
    if (*i + 1 >= argc || (o->kind == VOX_OPT_KIND_WORDS && looks_like_flag(argv[*i + 1])))
        return vox_fail(VOX_E_USAGE, "option %s needs a value", word);
    do {
        VOX_TRY(vox_opts_set(set->opts, set->cfg, o->name, argv[++*i]));
    } while (o->kind == VOX_OPT_KIND_WORDS && *i + 1 < argc &&
             !looks_like_flag(argv[*i + 1]));
    return VOX_OK;
}

static int take_flag(const vox_opt_set *sets, int n_sets, int argc, char **argv, int *i)
{
    const size_t n = strcspn(argv[*i], "=");

    for (int k = 0; k < n_sets; k++) {
        const vox_opt *o = find_flag(sets[k].opts, argv[*i], n);

        if (!o)
            continue;
        if (sets[k].given)
            sets[k].given[o - sets[k].opts] = 1;
        return take_values(&sets[k], o, argc, argv, i);
    }
    return fail_flag(sets, n_sets, argv[*i]);
}

int vox_opts_args(const vox_opt_set *sets, int n_sets, int *argc, char **argv)
{
    int words = 0, only_words = 0;

    for (int i = 0; i < *argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0)
            only_words = 1;
        else if (!only_words && looks_like_flag(argv[i]))
            VOX_TRY(take_flag(sets, n_sets, *argc, argv, &i));
        else
            argv[words++] = argv[i];
    }
    *argc = words;
    return VOX_OK;
}

/* A number below its range as default means "not given": the help text says what then. */
static int add_default(const vox_opt *o, vox_buf *out)
{
    char number[32];

    if (o->kind <= VOX_OPT_KIND_F64 && o->def < o->min)
        return VOX_OK;
    switch (o->kind) {
    case VOX_OPT_KIND_BOOL:
        return o->def != 0 ? vox_buf_printf(out, " (default on)") : VOX_OK;
    case VOX_OPT_KIND_INT:
    case VOX_OPT_KIND_I64:
        return vox_buf_printf(out, " (default %.0f)", o->def);
    case VOX_OPT_KIND_F32:
    case VOX_OPT_KIND_F64:
        return vox_buf_printf(out, " (default %s)", vox_json_double(o->def, number));
    default:
        return o->def_text ? vox_buf_printf(out, " (default %s)", o->def_text) : VOX_OK;
    }
}

int vox_opt_describe(vox_buf *out, const vox_opt *o)
{
    VOX_TRY(vox_buf_printf(out, "%s", o->help));
    return add_default(o, out);
}

int vox_opts_help(const vox_opt *opts, int flags, const char *prefix, vox_buf *out)
{
    for (const vox_opt *o = opts; o->name; o++) {
        char left[96], flag[64];

        long_flag(flag, o);
        if (flags)
            snprintf(left, sizeof left, "%s%s%s%s", o->flags ? o->flags : "",
                     o->flags ? " " : "", flag, vox_opt_placeholder(o));
        else
            snprintf(left, sizeof left, "%s.%s", prefix, o->name);
        VOX_TRY(vox_buf_printf(out, "  %-30s ", left));
        if (strlen(left) > 30) /* the second column stays where it is */
            VOX_TRY(vox_buf_printf(out, "\n%33s", ""));
        VOX_TRY(vox_buf_printf(out, "%s", o->help));
        if (o->kind >= VOX_OPT_KIND_INT && o->kind <= VOX_OPT_KIND_F64 && !flags)
            VOX_TRY(vox_buf_printf(out, " [%g..%g]", o->min, o->max));
        VOX_TRY(add_default(o, out));
        VOX_TRY(vox_buf_add(out, "\n", 1));
    }
    return VOX_OK;
}
