/* report: what several commands print the same way. */
#ifndef VOX_CLI_REPORT_H
#define VOX_CLI_REPORT_H

#include "data/rejects.h"
#include "vox/collection.h"

struct json_object;

/** One JSON object on one line of stdout; takes the reference. @return VOX_OK; VOX_E_NOMEM
 * when `o` is NULL */
int vox_report_json(struct json_object *o);

/** Members of an object; a NULL text is null. Memory that runs out leaves them away. */
void vox_report_text(struct json_object *o, const char *key, const char *text);
void vox_report_int(struct json_object *o, const char *key, int64_t v);
void vox_report_num(struct json_object *o, const char *key, double v);

/** vox_report_num of at most `digits` digits behind the point. */
void vox_report_round(struct json_object *o, const char *key, double v, int digits);

/** A list of numbers as a member. */
void vox_report_ints(struct json_object *o, const char *key, const int64_t *v, int n);
void vox_report_nums(struct json_object *o, const char *key, const double *v, int n);

/** An object as lines "key  value" on stdout, inner objects indented below their key. */
void vox_report_facts(struct json_object *o, int indent);

/** What a collection holds, as members: objects of each kind, modalities, masks.
 * @return VOX_OK; VOX_E_NOMEM */
int vox_report_collection(struct json_object *o, const vox_collection *c);

/** Lines on stdout: how many files were passed over for each reason; `each`: all of them.
 */
void vox_report_skipped(const vox_rejects *r, int each);

/** A table on stdout: which images were refused, and why; nothing when there is none. */
void vox_report_rejects(const vox_rejects *r);

#endif
