/*
 * nrrd_header: lines to fields.
 *
 * A header is the magic, lines "<field>: <value>", "<key>:=<value>" and "# comment", and an
 * empty line. Fields that say nothing of where the voxels are get no look.
 *
 * Source: teem.sourceforge.net/nrrd/format.html. Not teem's library: it opens files itself.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "image/nrrd.h"

/* A field on its way: the header, its value, the file's name for messages. */
typedef struct field {
    vox_nrrd_header *h;
    const char *value, *name;
} field;

static int fail_field(const field *f, const char *what)
{
    return vox_fail(VOX_E_FORMAT, "%s: NRRD field \"%s\" is \"%.100s\"", f->name, what,
                    f->value);
}

static int copy_word(const field *f, char *to, size_t room, const char *what)
{
    if (strlen(f->value) >= room)
        return fail_field(f, what);
    memcpy(to, f->value, strlen(f->value) + 1);
    return VOX_OK;
}

static int read_type(const field *f)
{
    return copy_word(f, f->h->type, sizeof f->h->type, "type");
}

static int read_encoding(const field *f)
{
    return copy_word(f, f->h->encoding, sizeof f->h->encoding, "encoding");
}

static int read_endian(const field *f)
{
    return copy_word(f, f->h->endian, sizeof f->h->endian, "endian");
}

static int read_space(const field *f)
{
    return copy_word(f, f->h->space, sizeof f->h->space, "space");
}

static int read_data_file(const field *f)
{
    return copy_word(f, f->h->data_file, sizeof f->h->data_file, "data file");
}

static int read_axes(const field *f)
{
    int64_t n = 0;

    if (vox_value_ints(&n, 1, f->value) != 1 || n < 1 || n > VOX_NRRD_AXES)
        return fail_field(f, "dimension");
    f->h->axes = (int)n;
    return VOX_OK;
}

static int read_space_axes(const field *f)
{
    int64_t n = 0;

    return vox_value_ints(&n, 1, f->value) == 1 && n == 3
               ? VOX_OK
               : fail_field(f, "space dimension");
}

static int read_sizes(const field *f)
{
    f->h->sizes = vox_value_ints(f->h->size, VOX_NRRD_AXES, f->value);
    return f->h->sizes > 0 ? VOX_OK : fail_field(f, "sizes");
}

static int read_spacings(const field *f)
{
    f->h->spacings = vox_value_reals(f->h->spacing, VOX_NRRD_AXES, f->value);
    return f->h->spacings > 0 ? VOX_OK : fail_field(f, "spacings");
}

static int read_skip(const field *f, int64_t *out, int64_t least, const char *what)
{
    return vox_value_ints(out, 1, f->value) == 1 && *out >= least ? VOX_OK
                                                                  : fail_field(f, what);
}

static int read_line_skip(const field *f)
{
    return read_skip(f, &f->h->line_skip, 0, "line skip");
}

static int read_byte_skip(const field *f)
{
    return read_skip(f, &f->h->byte_skip, -1, "byte skip");
}

/* "(1,0,0)" or "none". @return what follows, or NULL */
static const char *read_vector(double v[3], const char *p)
{
    if (strncmp(p, "none", 4) == 0) {
        v[0] = v[1] = v[2] = (double)NAN;
        return p + 4;
    }
    for (int i = 0; i < 3; i++) {
        char *end;

        if (*p++ != (i ? ',' : '('))
            return NULL;
        v[i] = strtod(p, &end);
        if (end == p)
            return NULL;
        p = end + strspn(end, " ");
    }
    return *p == ')' ? p + 1 : NULL;
}

static int read_vectors(const field *f)
{
    const char *p = f->value + strspn(f->value, " \t");

    while (p && *p && f->h->vectors < VOX_NRRD_AXES) {
        p = read_vector(f->h->vector[f->h->vectors++], p);
        p = p ? p + strspn(p, " \t") : NULL;
    }
    return p && !*p ? VOX_OK : fail_field(f, "space directions");
}

static int read_origin(const field *f)
{
    const char *end = read_vector(f->h->origin, f->value);

    return end && !*end ? VOX_OK : fail_field(f, "space origin");
}

static vox_nrrd_kind kind_of(const char *word)
{
    static const struct {
        const char *word;
        vox_nrrd_kind kind;
    } rows[] = {
        {"domain",     VOX_NRRD_SPACE  },
        {"space",      VOX_NRRD_SPACE  },
        {"none",       VOX_NRRD_SPACE  },
        {"???",        VOX_NRRD_SPACE  },
        {"time",       VOX_NRRD_TIME   },
        {"complex",    VOX_NRRD_REFUSED},
        {"RGB-color",  VOX_NRRD_REFUSED},
        {"3-color",    VOX_NRRD_REFUSED},
        {"4-color",    VOX_NRRD_REFUSED},
        {"RGBA-color", VOX_NRRD_REFUSED},
        {"HSV-color",  VOX_NRRD_REFUSED},
        {"XYZ-color",  VOX_NRRD_REFUSED},
    };

    for (int i = 0; i < VOX_COUNT(rows); i++) {
        if (strcasecmp(word, rows[i].word) == 0)
            return rows[i].kind;
    }
    return VOX_NRRD_VALUES;
}

static int read_kinds(const field *f)
{
    const char *p = f->value;

    for (f->h->kinds = 0; *p && f->h->kinds < VOX_NRRD_AXES;) {
        const size_t n = strcspn(p, " \t");
        char word[64];

        if (n >= sizeof word)
            return fail_field(f, "kinds");
        memcpy(word, p, n);
        word[n] = '\0';
        f->h->kind[f->h->kinds++] = kind_of(word);
        p += n + strspn(p + n, " \t");
    }
    return *p ? fail_field(f, "kinds") : VOX_OK;
}

static const struct {
    const char *key, *other; /* spellings */
    int (*read)(const field *f);
} fields[] = {
    {"type",             NULL,       read_type      },
    {"encoding",         NULL,       read_encoding  },
    {"endian",           NULL,       read_endian    },
    {"dimension",        NULL,       read_axes      },
    {"sizes",            NULL,       read_sizes     },
    {"spacings",         NULL,       read_spacings  },
    {"kinds",            NULL,       read_kinds     },
    {"space",            NULL,       read_space     },
    {"space dimension",  NULL,       read_space_axes},
    {"space directions", NULL,       read_vectors   },
    {"space origin",     NULL,       read_origin    },
    {"data file",        "datafile", read_data_file },
    {"line skip",        "lineskip", read_line_skip },
    {"byte skip",        "byteskip", read_byte_skip },
};

static int read_line(vox_nrrd_header *h, const vox_line *line, const char *name)
{
    char key[64], value[VOX_VALUE_MAX];
    const field f = {h, value, name};

    if (!vox_line_split(key, value, line, ':') || *value == '=')
        return VOX_OK;
    for (int i = 0; i < VOX_COUNT(fields); i++) {
        if (strcasecmp(key, fields[i].key) == 0 ||
            (fields[i].other && strcasecmp(key, fields[i].other) == 0))
            return fields[i].read(&f);
    }
    return VOX_OK;
}

/* A list of files follows its field at once, without an empty line before it. */
static int read_lines(vox_nrrd_header *h, const char *name)
{
    vox_line line;

    while (!vox_parts_are_listed(h->data_file) && vox_lines_next(&h->rest, &line)) {
        if (line.len == 0)
            return VOX_OK;
        if (*line.text != '#')
            VOX_TRY(read_line(h, &line, name));
    }
    return *h->data_file ? VOX_OK
                         : vox_fail(VOX_E_FORMAT,
                                    "%s: the NRRD header has no end (an empty line)", name);
}

int vox_nrrd_header_read(vox_nrrd_header *out, const vox_bytes *file)
{
    vox_line magic;

    memset(out, 0, sizeof *out);
    out->rest = vox_lines_of(file);
    if (file->len == 0)
        return vox_fail(VOX_E_FORMAT, "%s: is empty", file->name);
    if (!vox_lines_next(&out->rest, &magic) || magic.len < 8 ||
        memcmp(magic.text, "NRRD000", 7) != 0)
        return vox_fail(VOX_E_FORMAT, "%s: does not begin with \"NRRD000\"", file->name);
    return read_lines(out, file->name);
}
