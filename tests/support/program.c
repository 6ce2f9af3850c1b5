/* program: processes, made-up scans, and comparing what two runs left. */
#include "support/program.h"

#include <fcntl.h>
#include <json-c/json_object.h>
#include <json-c/linkhash.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rng.h"
#include "image/volume.h"
#include "io/pth.h"
#include "support/unit.h"

pid_t program_start(const char *log, const char *const *words)
{
    char *argv[64] = {(char *)(uintptr_t)VOX_PROGRAM};
    pid_t pid;

    for (int i = 0; words[i]; i++)
        argv[i + 1] = (char *)(uintptr_t)words[i];
    pid = fork();
    if (pid == 0) {
        const int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0666);

        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        execv(VOX_PROGRAM, argv);
        _exit(127);
    }
    assert_true(pid > 0);
    return pid;
}

int program_wait(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int program_run(const char *log, const char *const *words)
{
    return program_wait(program_start(log, words));
}

char *program_said(const char *log)
{
    vox_buf text = VOX_BUF_INIT;

    assert_int_equal(vox_file_read(&text, log), VOX_OK);
    return text.data;
}

void program_remove(const char *paths)
{
    char command[1024];

    snprintf(command, sizeof command, "rm -rf %s", paths);
    assert_int_equal(system(command), 0);
}

/* Waves inside a ball, on a dark ground: something that can be learned. */
static float voxel(const double f[3], int z, int y, int x, int edge)
{
    const double c = 0.5 * (edge - 1), r = c * 0.9;
    const double d = pow(z - c, 2) + pow(y - c, 2) + pow(x - c, 2);

    return d > r * r
               ? 0.0f
               : (float)(100 + 40 * sin(f[0] * z) + 30 * sin(f[1] * y) * cos(f[2] * x));
}

void program_make_scans(const char *dir, int count, int edge)
{
    char path[512];

    for (int s = 0; s < count; s++) {
        vox_rng rng = vox_rng_at(11, VOX_STREAM("scan"), (uint64_t)s);
        const double f[3] = {vox_rng_range(&rng, 0.2, 0.5), vox_rng_range(&rng, 0.2, 0.5),
                             vox_rng_range(&rng, 0.2, 0.5)};
        vox_volume v = VOX_VOLUME_INIT;
        float *to;

        v.info.shape = VOX_SHAPE(1, edge, edge, edge);
        for (int k = 0; k < 3; k++)
            v.info.spacing[k] = v.info.direction[4 * k] = 1;
        v.info.slope = 1;
        to = v.data = vox_alloc((size_t)edge * edge * edge, sizeof(float));
        for (int z = 0; z < edge; z++)
            for (int y = 0; y < edge; y++)
                for (int x = 0; x < edge; x++)
                    *to++ = voxel(f, z, y, x, edge);
        snprintf(path, sizeof path, "%s/sub-%02d/anat", dir, s);
        assert_int_equal(vox_mkdirs(path), VOX_OK);
        snprintf(path, sizeof path, "%s/sub-%02d/anat/sub-%02d_T1w.nii.gz", dir, s, s);
        assert_int_equal(vox_volume_write(&v, path), VOX_OK);
        vox_volume_release(&v);
    }
}

int program_count_lines(const char *path, const char *text)
{
    FILE *f = fopen(path, "r");
    char line[4096];
    int n = 0;

    while (f && fgets(line, sizeof line, f))
        n += strstr(line, text) != NULL;
    if (f)
        fclose(f);
    return n;
}

/* ---- comparing ---- */

/* What may differ: times, places, the machine, what is made again. */
static int is_free(const char *key)
{
    static const char *const keys[] = {"ms",
                                       "ms_data",
                                       "voxels_per_s",
                                       "seconds",
                                       "epoch_start_timestamps",
                                       "epoch_end_timestamps",
                                       "epoch_start",
                                       "machine",
                                       "recompute",
                                       "data"};

    for (int i = 0; i < VOX_COUNT(keys); i++) {
        if (strcmp(key, keys[i]) == 0)
            return 1;
    }
    return 0;
}

static void assert_same_view(const vox_view *a, const vox_view *b, const char *at)
{
    const int64_t n = vox_shape_count(a->shape);
    float *x = vox_alloc((size_t)n, sizeof *x), *y = vox_alloc((size_t)n, sizeof *y);

    assert_true(vox_shape_equal(a->shape, b->shape));
    vox_view_f32(x, a);
    vox_view_f32(y, b);
    if (memcmp(x, y, (size_t)n * sizeof *x))
        fail_msg("tensor %s differs", at);
    vox_free(x);
    vox_free(y);
}

static void assert_same_obj(const vox_obj *a, const vox_obj *b, const char *at);

static void assert_same_list(const vox_obj *a, const vox_obj *b, const char *at)
{
    const int step = a->kind == VOX_OBJ_DICT ? 2 : 1;

    if (a->list.count != b->list.count)
        fail_msg("%s has %lld and %lld items", at, (long long)a->list.count,
                 (long long)b->list.count);
    for (int64_t i = 0; i < a->list.count; i += step) {
        const vox_obj *key = a->list.item[i];
        const char *name = step == 2 && key->kind == VOX_OBJ_STR ? key->str.text : at;

        if (step == 2 && key->kind == VOX_OBJ_STR && is_free(name))
            continue;
        assert_same_obj(a->list.item[i + step - 1], b->list.item[i + step - 1], name);
    }
}

static void assert_same_obj(const vox_obj *a, const vox_obj *b, const char *at)
{
    int same = a->kind == b->kind;

    switch (a->kind) {
    case VOX_OBJ_LIST:
    case VOX_OBJ_TUPLE:
    case VOX_OBJ_DICT:
        if (same)
            assert_same_list(a, b, at);
        break;
    case VOX_OBJ_TENSOR:
        if (same)
            assert_same_view(&a->tensor->view, &b->tensor->view, at);
        break;
    case VOX_OBJ_BOOL:
    case VOX_OBJ_INT:
        same = same && a->i == b->i;
        break;
    case VOX_OBJ_FLOAT:
        same = same && memcmp(&a->f, &b->f, sizeof a->f) == 0;
        break;
    case VOX_OBJ_STR:
        same = same && strcmp(a->str.text, b->str.text) == 0;
        break;
    default:
        break;
    }
    if (!same)
        fail_msg("%s differs", at);
}

static void assert_same_checkpoint(const char *a, const char *b)
{
    vox_pth x = VOX_PTH_INIT, y = VOX_PTH_INIT;

    assert_int_equal(vox_pth_read(&x, a, 0), VOX_OK);
    assert_int_equal(vox_pth_read(&y, b, 0), VOX_OK);
    assert_same_obj(x.tree.root, y.tree.root, "checkpoint");
    vox_pth_release(&x);
    vox_pth_release(&y);
}

/* A line of metrics without its times. */
static json_object *timeless(const char *line)
{
    json_object *o = NULL, *kept = json_object_new_object();

    assert_int_equal(vox_json_parse(&o, line, strlen(line), "metrics"), VOX_OK);
    json_object_object_foreach(o, key, value)
    {
        if (!is_free(key))
            json_object_object_add(kept, key, json_object_get(value));
    }
    json_object_put(o);
    return kept;
}

static void assert_same_metrics(const char *a, const char *b)
{
    FILE *f = fopen(a, "r"), *g = fopen(b, "r");
    char x[4096], y[4096];
    int more;

    assert_non_null(f);
    assert_non_null(g);
    for (int n = 1;; n++) {
        json_object *one, *two;

        more = fgets(x, sizeof x, f) != NULL;
        if (more != (fgets(y, sizeof y, g) != NULL))
            fail_msg("%s and %s have not the same number of lines (%d)", a, b, n);
        if (!more)
            break;
        one = timeless(x);
        two = timeless(y);
        if (!json_object_equal(one, two))
            fail_msg("line %d of %s and %s differs:\n%s%s", n, a, b, x, y);
        json_object_put(one);
        json_object_put(two);
    }
    fclose(f);
    fclose(g);
}

void program_assert_same_run(const char *run_a, const char *run_b)
{
    char a[512], b[512];

    snprintf(a, sizeof a, "%s/metrics.jsonl", run_a);
    snprintf(b, sizeof b, "%s/metrics.jsonl", run_b);
    assert_same_metrics(a, b);
    snprintf(a, sizeof a, "%s/checkpoint_final.pth", run_a);
    snprintf(b, sizeof b, "%s/checkpoint_final.pth", run_b);
    assert_same_checkpoint(a, b);
}
