/* table: libcsv behind our errors; cells are gathered, then laid out as a rectangle. */
#include "data/table.h"

#include <csv.h>
#include <string.h>

#include "base/buf.h"
#include "base/dict.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "io/map.h"

typedef struct parser {
    vox_table *t;
    const char *name;
    const char **row; /* the row under way */
    int64_t count, cap;
    int64_t cell_cap, number; /* room for cells; rows seen, the header among them */
    int rc;                   /* the first failure: libcsv cannot be stopped */
} parser;

static void take_cell(void *text, size_t len, void *arg)
{
    parser *p = arg;

    if (p->rc != VOX_OK)
        return;
    p->rc = vox_grow(&p->row, &p->cap, p->count + 1, sizeof *p->row);
    if (p->rc != VOX_OK)
        return;
    p->row[p->count] = vox_arena_text(&p->t->arena, text ? text : "", len);
    p->rc = p->row[p->count++] ? VOX_OK : VOX_E_NOMEM;
}

static int take_header(parser *p)
{
    vox_table *t = p->t;
    vox_dict seen = VOX_DICT_INIT;
    int rc = VOX_OK, added = 1;

    t->column = vox_arena_alloc(&t->arena, (size_t)p->count, sizeof *t->column);
    if (!t->column)
        return VOX_E_NOMEM;
    t->columns = p->count;
    for (int64_t i = 0; i < p->count && rc == VOX_OK; i++) {
        t->column[i] = p->row[i];
        if (*p->row[i])
            rc = vox_dict_set(&seen, p->row[i], 1, &added);
        if (rc == VOX_OK && !added)
            rc = vox_fail(VOX_E_FORMAT,
                          "%s: the column \"%.100s\" stands twice in its header", p->name,
                          p->row[i]);
    }
    vox_dict_release(&seen);
    return rc;
}

static int take_row(parser *p)
{
    vox_table *t = p->t;
    const int64_t at = t->rows * t->columns;

    if (p->number == 1)
        return take_header(p);
    if (p->count > t->columns)
        return vox_fail(VOX_E_FORMAT,
                        "%s: row %lld has %lld cells, its header %lld; a separator in a "
                        "cell wants quotes around it",
                        p->name, (long long)p->number, (long long)p->count,
                        (long long)t->columns);
    VOX_TRY(vox_grow(&t->cell, &p->cell_cap, at + t->columns, sizeof *t->cell));
    for (int64_t i = 0; i < t->columns; i++)
        t->cell[at + i] = i < p->count ? p->row[i] : "";
    t->rows++;
    return VOX_OK;
}

static void end_row(int end, void *arg)
{
    parser *p = arg;

    (void)end;
    p->number++;
    if (p->rc == VOX_OK)
        p->rc = take_row(p);
    p->count = 0;
}

/* The separator that stands most often in the first line. */
static char guess_separator(const char *text, size_t len)
{
    static const char candidates[] = ",;\t";
    int64_t count[3] = {0};
    int best = 0;

    for (size_t i = 0; i < len && text[i] != '\n' && text[i] != '\r'; i++) {
        const char *c = text[i] ? strchr(candidates, text[i]) : NULL;

        if (c)
            count[c - candidates]++;
    }
    for (int i = 1; i < 3; i++)
        best = count[i] > count[best] ? i : best;
    return candidates[best];
}

static int check_text(const char *text, size_t len, const char *name)
{
    int64_t line = 1;

    if (len >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
        return vox_fail(VOX_E_FORMAT, "%s: is UTF-16, wanted UTF-8 text", name);
    for (size_t i = 0; i < len;) {
        const int n = text[i] ? vox_utf8_char(text + i, len - i, 0) : 0;

        if (n == 0)
            return vox_fail(VOX_E_FORMAT,
                            "%s: line %lld holds the byte %02x, wanted UTF-8 text", name,
                            (long long)line, (unsigned char)text[i]);
        line += text[i] == '\n';
        i += (size_t)n;
    }
    return VOX_OK;
}

static int run(parser *p, const char *text, size_t len, char separator)
{
    struct csv_parser csv;
    size_t done;

    if (csv_init(&csv, 0) != 0)
        return vox_fail(VOX_E_NOMEM, "%s: no memory for its rows", p->name);
    csv_set_delim(&csv, (unsigned char)separator);
    csv_set_blk_size(&csv, 4096);
    if (separator == '\t')
        csv_set_quote(&csv, 0); /* a byte that is not in the text */
    done = csv_parse(&csv, text, len, take_cell, end_row, p);
    if (p->rc == VOX_OK && done < len)
        p->rc = vox_fail(VOX_E_NOMEM, "%s: no memory for its rows", p->name);
    csv_set_opts(&csv, CSV_STRICT | CSV_STRICT_FINI); /* a quote that does not end */
    if (csv_fini(&csv, take_cell, end_row, p) != 0 && p->rc == VOX_OK)
        p->rc = vox_fail(VOX_E_FORMAT, "%s: the quote in row %lld does not end", p->name,
                         (long long)p->number + 1);
    csv_free(&csv);
    return p->rc;
}

int vox_table_parse(vox_table *out, const char *text, size_t len, char separator,
                    const char *name)
{
    vox_table t = VOX_TABLE_INIT;
    parser p = {.t = &t, .name = name};
    int rc;

    *out = t;
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        len -= 3;
    }
    rc = check_text(text, len, name);
    if (rc == VOX_OK)
        rc = run(&p, text, len, separator ? separator : guess_separator(text, len));
    if (rc == VOX_OK && p.number == 0)
        rc = vox_fail(VOX_E_FORMAT, "%s: is empty, wanted a header row", name);
    vox_free(p.row);
    if (rc == VOX_OK)
        *out = t;
    else
        vox_table_release(&t);
    return rc;
}

int vox_table_read(vox_table *out, const char *path, char separator)
{
    vox_map text = VOX_MAP_INIT;
    int rc = vox_map_open(&text, path);

    *out = (vox_table)VOX_TABLE_INIT;
    if (rc == VOX_OK)
        rc = vox_table_parse(out, text.data ? (const char *)text.data : "", text.len,
                             separator, path);
    vox_map_close(&text);
    return rc;
}

int64_t vox_table_find(const vox_table *t, const char *column)
{
    for (int64_t i = 0; i < t->columns; i++) {
        if (strcmp(t->column[i], column) == 0)
            return i;
    }
    return -1;
}

const char *vox_table_cell(const vox_table *t, int64_t row, int64_t column)
{
    return column < 0 ? "" : t->cell[row * t->columns + column];
}

void vox_table_release(vox_table *t)
{
    vox_free(t->cell);
    vox_arena_release(&t->arena);
    *t = (vox_table)VOX_TABLE_INIT;
}
