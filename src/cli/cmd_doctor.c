/* voxmind doctor: what this machine gives, what this build uses of it, what is set. */
#include <json-c/json_c_version.h>
#include <json-c/json_object.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cpu.h"
#include "base/host.h"
#include "base/json.h"
#include "base/version.h"
#include "cli/cmd.h"
#include "cli/report.h"
#include "graph/device.h"

static const char *const roots[] = {"nnssl_raw", "nnssl_preprocessed", "nnssl_results"};
static const char *const others[] = {"VOX_CPU", "VOX_LOG", "nnUNet_def_n_proc",
                                     "nnUNet_n_proc_DA", "CUDA_VISIBLE_DEVICES"};

static void add_text(json_object *o, const char *key, const char *text)
{
    json_object_object_add(o, key, text ? json_object_new_string(text) : NULL);
}

static void add_kernels(json_object *o)
{
    static const char *const names[] = {"reference", "plain", "avx2", "avx512"};
    json_object *paths = json_object_new_object();
    const vox_cpu_path *path;

    for (int i = 0; i < VOX_COUNT(names); i++) {
        json_object *list;

        if (vox_cpu_path_find(&path, names[i]) != VOX_OK) {
            add_text(paths, names[i], NULL);
            continue;
        }
        list = json_object_new_array();
        for (int k = 0; path->kernels && path->kernels[k]; k++)
            json_object_array_add(list, json_object_new_string(path->kernels[k]->name));
        json_object_object_add(paths, names[i], list);
    }
    json_object_object_add(o, "kernels", paths);
    if (vox_cpu_path_find(&path, NULL) == VOX_OK)
        add_text(o, "kernel_path", path->name);
    vox_error_clear();
}

static void add_environment(json_object *o)
{
    json_object *env = json_object_new_object();

    for (int i = 0; i < VOX_COUNT(roots); i++)
        add_text(env, roots[i], getenv(roots[i]));
    for (int i = 0; i < VOX_COUNT(others); i++)
        add_text(env, others[i], getenv(others[i]));
    json_object_object_add(o, "environment", env);
}

static json_object *facts(void)
{
    json_object *o = json_object_new_object();
    char model[128];

    add_text(o, "version", vox_version());
    add_text(o, "commit", vox_commit());
    add_text(o, "cpu", vox_cpu_model(model));
    json_object_object_add(o, "cores", json_object_new_int(vox_cpu_cores()));
    json_object_object_add(o, "memory_limit", json_object_new_int64(vox_cpu_memory()));
    json_object_object_add(o, "memory_free", json_object_new_int64(vox_host_memory()));
    json_object_object_add(o, "disk_free", json_object_new_int64(vox_host_disk(".")));
    add_kernels(o);
    add_text(o, "json_c", json_c_version());
    add_text(o, "cuda", NULL);
    add_environment(o);
    return o;
}

static int run(const void *cfg, const vox_common *common, int argc, char **argv)
{
    json_object *o = facts();

    (void)cfg;
    (void)argc;
    (void)argv;
    if (common->json)
        return vox_report_json(o);
    vox_report_facts(o, 0);
    json_object_put(o);
    return VOX_OK;
}

const vox_cmd vox_cmd_doctor = {
    .name = "doctor",
    .group = "look",
    .summary = "CPU features, kernels, threads, memory, disk, versions, roots",
    .usage = "voxmind doctor",
    .run = run,
};
