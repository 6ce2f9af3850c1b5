/* target: datasets below the roots and folders of scans. */
#include "train/target.h"

#include <ctype.h>
#include <json-c/json_object.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "data/roots.h"
#include "train/folder.h"

static const char *const configurations[] = {"onemmiso", "median", "noresample"};

static const char prefix[] = "pretrain_data__", suffix[] = ".json";

static int set(char **field, const char *text)
{
    vox_free(*field);
    *field = vox_strdup(text);
    return *field ? VOX_OK : VOX_E_NOMEM;
}

/* Is there a file dir/<a><b><c>? */
static int has_file(const char *dir, const char *a, const char *b, const char *c)
{
    vox_buf path = VOX_BUF_INIT;
    int there = vox_buf_printf(&path, "%s/%s%s%s", dir, a, b, c) == VOX_OK;

    there = there && vox_file_exists(vox_buf_text(&path));
    vox_buf_release(&path);
    return there;
}

/* ---- configurations ---- */

static const char *configuration_name(int i, void *arg)
{
    (void)arg;
    return i < VOX_COUNT(configurations) ? configurations[i] : NULL;
}

/* One of the three every plan has. */
static int is_usual(const char *name)
{
    for (int i = 0; i < VOX_COUNT(configurations); i++) {
        if (strcmp(name, configurations[i]) == 0)
            return 1;
    }
    return 0;
}

static int fail_configuration(const char *name)
{
    const char *near = vox_suggest(name, configuration_name, NULL);

    return vox_fail(VOX_E_USAGE,
                    "configuration is \"%s\", wanted onemmiso, median or noresample%s%s%s",
                    name, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

/* Names found as pretrain_data__<name>.json. */
static int list_configurations(vox_strs *out, const char *dir)
{
    vox_strs names = {0};
    int rc = vox_dir_list(&names, dir);

    for (int64_t i = 0; rc == VOX_OK && i < names.count; i++) {
        char *name = names.v[i];

        if (strncmp(name, prefix, sizeof prefix - 1) || !vox_ends_with(name, suffix))
            continue;
        name[strlen(name) - (sizeof suffix - 1)] = '\0';
        rc = vox_strs_add(out, name + sizeof prefix - 1);
    }
    vox_strs_release(&names);
    return rc;
}

static int fail_choice(const char *what, const vox_strs *list)
{
    vox_buf text = VOX_BUF_INIT;
    int rc = VOX_OK;

    for (int64_t i = 0; i < list->count && rc == VOX_OK; i++)
        rc = vox_buf_printf(&text, "%s%s", i ? ", " : "", list->v[i]);
    if (rc == VOX_OK)
        rc = vox_fail(VOX_E_USAGE, "which %s? There are: %s", what, vox_buf_text(&text));
    vox_buf_release(&text);
    return rc;
}

static int fail_unprocessed(const vox_target *t, const char *configuration)
{
    return vox_fail(
        VOX_E_MISSING,
        "%s: is not preprocessed%s%s; voxmind plan-and-preprocess -d %s%s%s does it",
        t->dir, configuration ? " as " : "", configuration ? configuration : "", t->dataset,
        configuration ? " -c " : "", configuration ? configuration : "");
}

static int choose_configuration(vox_target *t, const char *configuration)
{
    vox_strs found = {0};
    int rc = VOX_OK;

    if (configuration) {
        rc = set(&t->configuration, configuration);
    } else {
        rc = list_configurations(&found, t->dir);
        if (rc == VOX_OK && found.count > 1)
            rc = fail_choice("configuration", &found);
        else if (rc == VOX_OK && found.count == 0)
            rc = fail_unprocessed(t, NULL);
        else if (rc == VOX_OK)
            rc = set(&t->configuration, found.v[0]);
    }
    vox_strs_release(&found);
    return rc;
}

static int is_preprocessed(const vox_target *t)
{
    return has_file(t->dir, prefix, t->configuration, suffix) &&
           has_file(t->dir, t->plans, "", suffix);
}

/* ---- datasets ---- */

static int find_dataset(vox_target *t, const char *name, const char *configuration)
{
    vox_buf text = VOX_BUF_INIT;
    int rc = vox_dataset_resolve(&text, name);

    if (rc == VOX_OK)
        rc = set(&t->dataset, vox_buf_text(&text));
    vox_buf_release(&text);
    if (rc == VOX_OK)
        rc = vox_root_dataset(&text, VOX_ROOT_PREPROCESSED, t->dataset);
    if (rc == VOX_OK)
        rc = set(&t->dir, vox_buf_text(&text));
    vox_buf_release(&text);
    if (rc == VOX_OK && !vox_is_dir(t->dir))
        return fail_unprocessed(t, configuration);
    if (rc == VOX_OK)
        rc = choose_configuration(t, configuration);
    if (rc == VOX_OK && !is_preprocessed(t))
        rc = is_usual(t->configuration) ? fail_unprocessed(t, t->configuration)
                                        : fail_configuration(t->configuration);
    return rc;
}

/* The datasets that have these plans and at least one configuration. */
static int list_datasets(vox_strs *out, const char *plans)
{
    vox_strs all = {0}, configs = {0};
    vox_buf dir = VOX_BUF_INIT;
    int rc = vox_root_list(&all, VOX_ROOT_PREPROCESSED);

    for (int64_t i = 0; i < all.count && rc == VOX_OK; i++) {
        vox_buf_release(&dir);
        vox_strs_release(&configs);
        rc = vox_root_dataset(&dir, VOX_ROOT_PREPROCESSED, all.v[i]);
        if (rc != VOX_OK || !has_file(vox_buf_text(&dir), plans, "", suffix))
            continue;
        rc = list_configurations(&configs, vox_buf_text(&dir));
        if (rc == VOX_OK && configs.count)
            rc = vox_strs_add(out, all.v[i]);
    }
    vox_buf_release(&dir);
    vox_strs_release(&configs);
    vox_strs_release(&all);
    return rc;
}

static int find_only_dataset(vox_target *t, const char *configuration)
{
    vox_strs list = {0};
    vox_buf root = VOX_BUF_INIT;
    int rc = vox_root_need(&root, VOX_ROOT_PREPROCESSED);

    if (rc == VOX_OK)
        rc = list_datasets(&list, t->plans);
    if (rc == VOX_OK && list.count == 0)
        rc = vox_fail(
            VOX_E_MISSING,
            "%s: no dataset is preprocessed for %s; name a dataset or a folder of scans",
            vox_buf_text(&root), t->plans);
    else if (rc == VOX_OK && list.count > 1)
        rc = fail_choice("dataset", &list);
    else if (rc == VOX_OK)
        rc = find_dataset(t, list.v[0], configuration);
    vox_buf_release(&root);
    vox_strs_release(&list);
    return rc;
}

/* ---- folders of scans ---- */

static int find_folder(vox_target *t, const char *dir, const char *configuration)
{
    const char *name = configuration ? configuration : configurations[0];

    if (!is_usual(name))
        return fail_configuration(name);
    VOX_TRY(set(&t->scans, dir));
    return set(&t->configuration, name);
}

static int looks_like_dataset(const char *data)
{
    if (strncmp(data, "Dataset", 7) == 0 && isdigit((unsigned char)data[7]))
        return !vox_is_dir(data);
    return data[0] != '\0' && data[strspn(data, "0123456789")] == '\0';
}

static int find(vox_target *t, const char *data, const char *configuration)
{
    if (!data)
        return find_only_dataset(t, configuration);
    if (looks_like_dataset(data))
        return find_dataset(t, data, configuration);
    if (vox_is_dir(data))
        return find_folder(t, data, configuration);
    return vox_fail(VOX_E_MISSING,
                    "%s: is no folder of scans, and no dataset has that name", data);
}

int vox_target_find(vox_target *out, const char *data, const char *configuration,
                    const char *plans)
{
    int rc;

    *out = (vox_target)VOX_TARGET_INIT;
    rc = set(&out->plans, plans);
    if (rc == VOX_OK)
        rc = find(out, data, configuration);
    if (rc != VOX_OK)
        vox_target_release(out);
    return rc;
}

/* ---- places ---- */

static int results_folder(vox_target *t, const char *name)
{
    vox_buf root = VOX_BUF_INIT;
    int rc = vox_root_dataset(&root, VOX_ROOT_RESULTS, t->dataset);

    if (rc == VOX_OK)
        t->top = vox_path_join(vox_buf_text(&root), name);
    vox_buf_release(&root);
    if (rc != VOX_OK)
        return rc;
    t->run = t->top ? vox_path_join(t->top, "fold_all") : NULL;
    return t->run ? VOX_OK : VOX_E_NOMEM;
}

int vox_target_place(vox_target *t, const char *out, const char *name)
{
    if (!out && t->dataset)
        return results_folder(t, name);
    VOX_TRY(set(&t->run, out ? out : "voxmind_run"));
    VOX_TRY(set(&t->top, t->run));
    if (t->scans) {
        t->dir = vox_path_join(t->run, VOX_FOLDER_DATA);
        return t->dir ? VOX_OK : VOX_E_NOMEM;
    }
    return VOX_OK;
}

int vox_target_read_plan(vox_target *t)
{
    vox_buf path = VOX_BUF_INIT;
    int rc = vox_buf_printf(&path, "%s/%s.json", t->dir, t->plans);

    if (rc == VOX_OK)
        rc = vox_json_read(&t->plan, vox_buf_text(&path));
    vox_buf_release(&path);
    return rc;
}

void vox_target_release(vox_target *t)
{
    char **const texts[] = {&t->scans, &t->dataset, &t->plans, &t->configuration,
                            &t->dir,   &t->run,     &t->top};

    for (int i = 0; i < VOX_COUNT(texts); i++)
        vox_free(*texts[i]);
    json_object_put(t->plan);
    *t = (vox_target)VOX_TARGET_INIT;
}
