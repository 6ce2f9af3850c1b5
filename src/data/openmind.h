/*
 * openmind: a collection from the metadata table of the OpenMind data set (data.md 3.1).
 */
#ifndef VOX_DATA_OPENMIND_H
#define VOX_DATA_OPENMIND_H

#include "data/collection.h"
#include "data/rejects.h"

/**
 * Read <dir>/openneuro_metadata.csv; images are below <dir>/OpenMind.
 *
 * Empty cells are absent values; numbers are written as Python writes floats. Paths are
 * relative to the roots (vox_collection_relative_paths).
 *
 * @param[out] out      owned by the caller; empty on failure
 * @param      name     of the collection: the first part of every id
 * @param[out] skipped  rows that are no image are appended
 * @param[out] absent   images whose file is not there (they are in the collection)
 * @return VOX_OK; VOX_E_MISSING, VOX_E_FORMAT with file and column or row; VOX_E_NOMEM
 */
int vox_openmind_read(vox_collection *out, const char *dir, const char *name,
                      vox_rejects *skipped, int64_t *absent);

/** The same from the table's text; `file` is its name for messages. */
int vox_openmind_parse(vox_collection *out, const char *text, size_t len, const char *file,
                       const char *dir, const char *name, vox_rejects *skipped);

#endif
