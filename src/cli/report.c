/* report: JSON lines and tables on stdout. */
#include "cli/report.h"

#include <json-c/json_object.h>
#include <json-c/linkhash.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"

enum { WIDEST = 64 };

int vox_report_json(json_object *o)
{
    if (!o)
        return vox_fail(VOX_E_NOMEM, "no memory for the report");
    printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
                                                         JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(o);
    return VOX_OK;
}

void vox_report_text(json_object *o, const char *key, const char *text)
{
    json_object_object_add(o, key, text ? json_object_new_string(text) : NULL);
}

void vox_report_int(json_object *o, const char *key, int64_t v)
{
    json_object_object_add(o, key, json_object_new_int64(v));
}

/* In shortest form; what is no number is null, as strict readers want it. */
static json_object *number(double v)
{
    char text[32];

    return isfinite(v) ? json_object_new_double_s(v, vox_json_double(v, text)) : NULL;
}

void vox_report_num(json_object *o, const char *key, double v)
{
    json_object_object_add(o, key, number(v));
}

void vox_report_ints(json_object *o, const char *key, const int64_t *v, int n)
{
    json_object *list = json_object_new_array();

    for (int i = 0; list && i < n; i++)
        json_object_array_add(list, json_object_new_int64(v[i]));
    json_object_object_add(o, key, list);
}

void vox_report_nums(json_object *o, const char *key, const double *v, int n)
{
    json_object *list = json_object_new_array();

    for (int i = 0; list && i < n; i++)
        json_object_array_add(list, number(v[i]));
    json_object_object_add(o, key, list);
}

void vox_report_round(json_object *o, const char *key, double v, int digits)
{
    const double scale = pow(10, digits);

    vox_report_num(o, key, round(v * scale) / scale);
}

/* One value; fewer digits than JSON has. */
static void print_scalar(json_object *v)
{
    if (json_object_get_type(v) == json_type_double)
        printf("%.7g", json_object_get_double(v));
    else
        printf("%s", v ? json_object_get_string(v) : "-");
}

/* Lists on one line: extents as 1 x 2 x 3, other things with commas. */
static void print_value(const char *key, json_object *value)
{
    static const char *const extents[] = {"shape", "spacing", "chunk", "block", "patch"};
    const char *between = ", ";

    if (!value || json_object_get_type(value) != json_type_array) {
        printf(" ");
        print_scalar(value);
        printf("\n");
        return;
    }
    for (int i = 0; i < VOX_COUNT(extents); i++)
        between = strstr(key, extents[i]) ? " x " : between;
    for (size_t i = 0; i < json_object_array_length(value); i++) {
        printf("%s", i ? between : " ");
        print_scalar(json_object_array_get_idx(value, i));
    }
    printf("\n");
}

void vox_report_facts(json_object *o, int indent)
{
    json_object_object_foreach(o, key, value)
    {
        printf("%*s%-*s", indent, "", 20 - indent, key);
        if (json_object_get_type(value) == json_type_object) {
            printf("\n");
            vox_report_facts(value, indent + 2);
        } else {
            print_value(key, value);
        }
    }
}

/* The image's id, or its path when it has none. */
static const char *title(const vox_reject *r)
{
    return *r->id ? r->id : r->path;
}

void vox_report_rejects(const vox_rejects *r)
{
    int width = 5;

    for (int64_t i = 0; i < r->count; i++) {
        const int n = (int)strlen(title(&r->v[i]));

        width = n > width && n <= WIDEST ? n : width;
    }
    if (r->count)
        printf("  %-*s  reason\n", width, "image");
    for (int64_t i = 0; i < r->count; i++) {
        printf("  %-*s  %s\n", width, title(&r->v[i]), r->v[i].reason);
        if (*r->v[i].cure)
            printf("  %-*s    cure: %s\n", width, "", r->v[i].cure);
    }
}
