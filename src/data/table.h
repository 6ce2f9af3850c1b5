/*
 * table: a csv or tsv file with a header row, as text.
 *
 * Quoted fields (with separators, line ends and doubled quotes in them), CRLF and a BOM are
 * taken; blank lines are passed over. In a tsv file quotes are characters like others.
 */
#ifndef VOX_DATA_TABLE_H
#define VOX_DATA_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

typedef struct vox_table {
    const char **column; /* names, distinct */
    const char **cell;   /* rows x columns, "" where a row is short */
    int64_t columns, rows;
    vox_arena arena;
} vox_table;

#define VOX_TABLE_INIT \
    {                  \
        0              \
    }

/**
 * Parse.
 *
 * @param[out] out        owned by the caller (vox_table_release); empty on failure
 * @param      separator  ',', ';' or '\t'; 0: the one that the header row holds most
 * @param      name       of the text, for messages
 * @return VOX_OK; VOX_E_FORMAT with the row (the header is row 1): not UTF-8, a row longer
 *         than the header, a quote that does not end, a column twice; VOX_E_NOMEM
 */
int vox_table_parse(vox_table *out, const char *text, size_t len, char separator,
                    const char *name);

/** Read a file. @return as vox_table_parse, and VOX_E_MISSING, VOX_E_IO */
int vox_table_read(vox_table *out, const char *path, char separator);

/** Number of a column; -1 when there is none of that name. */
int64_t vox_table_find(const vox_table *t, const char *column);

/** A cell; "" where `column` is -1. */
const char *vox_table_cell(const vox_table *t, int64_t row, int64_t column);

/** Release; legal on an _INIT value. */
void vox_table_release(vox_table *t);

#endif
