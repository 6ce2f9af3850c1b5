/* roots: environment variables and dataset folders (data.md 1.1-1.3, 2.4, corrected). */
#include "data/roots.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"

static const char *const names[VOX_ROOTS] = {"nnssl_raw", "nnssl_preprocessed",
                                             "nnssl_results"};

const char *vox_root_name(vox_root root)
{
    return names[root];
}

static size_t without_slashes(const char *path, size_t n)
{
    while (n > 1 && path[n - 1] == '/')
        n--;
    return n;
}

int vox_root_get(vox_buf *out, vox_root root)
{
    const char *value = getenv(names[root]);

    VOX_TRY(vox_buf_resize(out, 0));
    return value ? vox_buf_add(out, value, without_slashes(value, strlen(value))) : VOX_OK;
}

int vox_root_need(vox_buf *out, vox_root root)
{
    VOX_TRY(vox_root_get(out, root));
    if (out->len == 0)
        return vox_fail(VOX_E_MISSING,
                        "the environment variable %s is not set; it names the folder of "
                        "the datasets",
                        names[root]);
    return VOX_OK;
}

int vox_root_dataset(vox_buf *out, vox_root root, const char *dataset)
{
    VOX_TRY(vox_root_need(out, root));
    return vox_buf_printf(out, "/%s", dataset);
}

/* Digits behind "Dataset"; *end is what follows them. 0 when it is no such name. */
static int parse_name(int64_t *id, const char **end, const char *name)
{
    const char *p = name + 7;

    if (strncmp(name, "Dataset", 7) != 0 || *p < '0' || *p > '9')
        return 0;
    for (*id = 0; *p >= '0' && *p <= '9'; p++) {
        if (*id > INT32_MAX)
            return 0;
        *id = 10 * *id + (*p - '0');
    }
    *end = p;
    return 1;
}

int vox_dataset_number(int64_t *out, const char *name)
{
    const char *end;

    if (!parse_name(out, &end, name))
        return vox_fail(VOX_E_ARG, "\"%s\" is no dataset name, wanted DatasetXXX_Name",
                        name);
    return VOX_OK;
}

int vox_root_list(vox_strs *out, vox_root root)
{
    vox_buf dir = VOX_BUF_INIT;
    vox_strs all = {0};
    int rc = vox_root_get(&dir, root);

    if (rc == VOX_OK && dir.len && vox_is_dir(dir.data))
        rc = vox_dir_list(&all, dir.data);
    for (int64_t i = 0; i < all.count && rc == VOX_OK; i++) {
        const char *end;
        int64_t id;

        if (parse_name(&id, &end, all.v[i]))
            rc = vox_strs_add(out, all.v[i]);
    }
    vox_strs_release(&all);
    vox_buf_release(&dir);
    return rc;
}

static int holds(const vox_strs *list, const char *text)
{
    for (int64_t i = 0; i < list->count; i++) {
        if (strcmp(list->v[i], text) == 0)
            return 1;
    }
    return 0;
}

/* Distinct dataset names of that number; `exact`: a "_" must follow the digits. */
static int candidates(vox_strs *out, int64_t id, int exact)
{
    int rc = VOX_OK;

    for (int root = VOX_ROOTS - 1; root >= 0 && rc == VOX_OK; root--) {
        vox_strs list = {0};

        rc = vox_root_list(&list, (vox_root)root);
        for (int64_t i = 0; i < list.count && rc == VOX_OK; i++) {
            const char *end = "";
            int64_t k = -1;

            parse_name(&k, &end, list.v[i]);
            if (k == id && (*end == '_') == exact && !holds(out, list.v[i]))
                rc = vox_strs_add(out, list.v[i]);
        }
        vox_strs_release(&list);
    }
    return rc;
}

static int fail_missing(int64_t id)
{
    const char *value[VOX_ROOTS];

    for (int r = 0; r < VOX_ROOTS; r++)
        value[r] = getenv(names[r]) ? getenv(names[r]) : "(not set)";
    return vox_fail(VOX_E_MISSING,
                    "there is no dataset with the number %lld below nnssl_preprocessed=%s, "
                    "nnssl_raw=%s, nnssl_results=%s",
                    (long long)id, value[VOX_ROOT_PREPROCESSED], value[VOX_ROOT_RAW],
                    value[VOX_ROOT_RESULTS]);
}

static int by_number(vox_buf *out, int64_t id)
{
    vox_strs list = {0};
    int rc = candidates(&list, id, 1);

    if (rc == VOX_OK && list.count == 0)
        rc = candidates(&list, id, 0);
    if (rc == VOX_OK && list.count == 0)
        rc = fail_missing(id);
    if (rc == VOX_OK && list.count > 1)
        rc = vox_fail(VOX_E_ARG,
                      "%lld datasets have the number %lld: %s, %s%s; give the name",
                      (long long)list.count, (long long)id, list.v[0], list.v[1],
                      list.count > 2 ? ", ..." : "");
    if (rc == VOX_OK)
        rc = vox_buf_add(out, list.v[0], strlen(list.v[0]));
    vox_strs_release(&list);
    return rc;
}

int vox_dataset_resolve(vox_buf *out, const char *name_or_id)
{
    const size_t digits = strspn(name_or_id, "0123456789");

    VOX_TRY(vox_buf_resize(out, 0));
    if (strncmp(name_or_id, "Dataset", 7) == 0)
        return vox_buf_add(out, name_or_id, strlen(name_or_id));
    if (digits == 0 || digits > 9 || name_or_id[digits])
        return vox_fail(VOX_E_USAGE,
                        "\"%s\" is no dataset, wanted its number or DatasetXXX_Name",
                        name_or_id);
    return by_number(out, strtoll(name_or_id, NULL, 10));
}

int vox_path_expand(vox_buf *out, const char *path)
{
    const size_t n = strcspn(path, "/");
    char name[256];
    const char *value;

    VOX_TRY(vox_buf_resize(out, 0));
    if (path[0] != '$')
        return vox_buf_add(out, path, strlen(path));
    if (n < 2 || n > sizeof name)
        return vox_fail(VOX_E_FORMAT, "path \"%s\": no variable name after $", path);
    memcpy(name, path + 1, n - 1);
    name[n - 1] = '\0';
    value = getenv(name);
    if (!value || !*value)
        return vox_fail(VOX_E_MISSING,
                        "path \"%s\": the environment variable %s is not set", path, name);
    VOX_TRY(vox_buf_add(out, value, without_slashes(value, strlen(value))));
    return vox_buf_add(out, path + n, strlen(path + n));
}

int vox_path_contract(vox_buf *out, const char *path)
{
    VOX_TRY(vox_buf_resize(out, 0));
    for (int r = VOX_ROOT_RAW; r <= VOX_ROOT_PREPROCESSED; r++) {
        const char *root = getenv(names[r]);
        const size_t n = root ? without_slashes(root, strlen(root)) : 0;

        if (n && strncmp(path, root, n) == 0 && (path[n] == '/' || !path[n]))
            return vox_buf_printf(out, "$%s%s", names[r], path + n);
    }
    return vox_buf_add(out, path, strlen(path));
}
