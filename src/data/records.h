/* records: vox/records.h, and an image as JSON. */
#ifndef VOX_DATA_RECORDS_H
#define VOX_DATA_RECORDS_H

#include <json-c/json_object.h>

#include "data/collection.h"
#include "vox/records.h"

/** One image as in valid_imgs.json (data.md 2.5), paths expanded; a new reference.
 * @return NULL with a message */
json_object *vox_record_json(const vox_records *r, const vox_record *image);

#endif
