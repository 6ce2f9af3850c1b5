/* dicom: one process per folder, a few at a time; its output goes to a hidden file beside what
 * it makes. */
#include "data/dicom.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/stop.h"

extern char **environ;

static const char program[] = "dcm2niix";

typedef struct job {
    const vox_dicom_cfg *cfg;
    vox_walk *w;
    vox_rejects *skipped;
    const vox_file **folder;
    int64_t count, done;
    pthread_mutex_t lock; /* of w's arena, skipped and done */
} job;

/* Run dcm2niix with its output in the file `log`. *status is its exit status. */
static int run(const char *from, const char *to, const char *names, const char *log,
               int *status)
{
    const char *const argv[] = {program, "-z", "y",  "-b",  "y",  "-ba", "y",  "-w", "1",
                                "-d",    "0",  "-f", names, "-o", to,    from, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int bad;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    bad = posix_spawnp(&pid, program, &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (bad == ENOENT)
        return vox_fail(VOX_E_MISSING,
                        "%s was not found: it converts DICOM scans; install it (Debian: "
                        "apt-get install dcm2niix), or convert the scans to NIfTI yourself",
                        program);
    if (bad) {
        errno = bad;
        return vox_fail_errno(VOX_E_IO, "cannot run %s", program);
    }
    while (waitpid(pid, status, 0) < 0) {
        if (errno != EINTR)
            return vox_fail_errno(VOX_E_IO, "cannot wait for %s", program);
    }
    return VOX_OK;
}

/* Links are removed, not followed. */
static int remove_tree(const char *path)
{
    vox_strs names = {0};
    struct stat st;
    const int is_dir = lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
    int rc = is_dir ? vox_dir_list(&names, path) : VOX_OK;

    for (int64_t i = 0; i < names.count && rc == VOX_OK; i++) {
        char *full = vox_path_join(path, names.v[i]);

        rc = full ? remove_tree(full) : VOX_E_NOMEM;
        vox_free(full);
    }
    vox_strs_release(&names);
    if (rc == VOX_OK && remove(path) != 0 && errno != ENOENT)
        rc = vox_fail_errno(VOX_E_IO, "%s: cannot remove", path);
    return rc;
}

/* Pass over a folder, or a part of it: what was done, how it ended, and the last line of the
 * log. */
static int say(job *j, const vox_file *folder, const char *log, const char *done,
               const char *end)
{
    vox_buf text = VOX_BUF_INIT, why = VOX_BUF_INIT;
    const char *line;
    int rc;

    (void)vox_file_read(&text, log);
    while (text.len && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == ' '))
        text.data[--text.len] = '\0';
    line = strrchr(vox_buf_text(&text), '\n');
    rc = vox_buf_printf(&why, "%s %s: %s%.200s", program, done, end,
                        line ? line + 1 : vox_buf_text(&text));
    pthread_mutex_lock(&j->lock);
    if (rc == VOX_OK)
        rc = vox_walk_skip(j->w, j->skipped, folder->path, vox_buf_text(&why));
    pthread_mutex_unlock(&j->lock);
    vox_buf_release(&text);
    vox_buf_release(&why);
    return rc;
}

static int say_refused(job *j, const vox_file *folder, const char *log, int status)
{
    char end[40];

    snprintf(end, sizeof end, "%s %d, ", WIFEXITED(status) ? "exit status" : "signal",
             WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    return say(j, folder, log, "refused it", end);
}

static int say_partial(job *j, const vox_file *folder, const char *log)
{
    return say(j, folder, log, "left out a part of it", "");
}

/* Some series could not be converted, or lack slices; what there is, is good. */
static int is_partial(int status)
{
    enum { SOME_BAD = 8, INCOMPLETE = 10 }; /* nii_dicom_batch.h */

    return WIFEXITED(status) &&
           (WEXITSTATUS(status) == SOME_BAD || WEXITSTATUS(status) == INCOMPLETE);
}

/* A signal that is meant for us ends the converters, too: what they leave says nothing. */
static int check_stop(void)
{
    if (vox_stop_asked())
        return vox_fail(VOX_E_STOP, "converting was stopped by %s; finished folders stay",
                        vox_stop_name());
    return VOX_OK;
}

/* Remove what a conversion that failed left; the failure stays. */
static int discard(const char *temp, const char *log)
{
    vox_error e;

    vox_error_take(&e);
    unlink(log);
    (void)remove_tree(temp);
    return vox_error_give(&e);
}

/* Convert a folder into `temp`, then give it its name. The log stays beside what is partial,
 * to say so again. */
static int convert_into(job *j, const vox_file *folder, const char *from, const char *temp,
                        const char *to, const char *log)
{
    int status = 0, rc = check_stop();

    if (rc == VOX_OK)
        rc = remove_tree(temp);
    if (rc == VOX_OK)
        rc = vox_mkdirs(temp);
    if (rc == VOX_OK)
        rc = run(from, temp, *folder->path ? "%s_%d" : "%i/%t/%s_%d", log, &status);
    if (rc == VOX_OK)
        rc = check_stop();
    if (rc != VOX_OK)
        return discard(temp, log);
    if (status != 0 && !is_partial(status)) {
        rc = say_refused(j, folder, log, status);
        if (rc == VOX_OK)
            rc = remove_tree(temp);
        unlink(log);
        return rc;
    }
    if (status == 0)
        unlink(log);
    else
        VOX_TRY(say_partial(j, folder, log));
    if (rename(temp, to) != 0)
        return vox_fail_errno(VOX_E_IO, "%s: cannot rename it to %s", temp, to);
    return VOX_OK;
}

/* The names of series, apart from folders of the same path that hold other series. */
static const char series[] = "dicom";

static int convert(void *arg, int64_t i)
{
    job *j = arg;
    const vox_file *folder = j->folder[i];
    vox_buf from = VOX_BUF_INIT, temp = VOX_BUF_INIT, to = VOX_BUF_INIT, log = VOX_BUF_INIT;
    const char *slash = *folder->path ? "/" : "";
    int rc = vox_buf_printf(&from, "%s%s%s", j->w->root, slash, folder->path);

    if (rc == VOX_OK)
        rc = vox_buf_printf(&to, "%s%s%s/%s", j->cfg->to, slash, folder->path, series);
    if (rc == VOX_OK)
        rc = vox_buf_printf(&temp, "%s.tmp", vox_buf_text(&to));
    if (rc == VOX_OK)
        rc =
            vox_buf_printf(&log, "%s%s%s/.%s.log", j->cfg->to, slash, folder->path, series);
    if (rc == VOX_OK && !vox_is_dir(vox_buf_text(&to)))
        rc = convert_into(j, folder, vox_buf_text(&from), vox_buf_text(&temp),
                          vox_buf_text(&to), vox_buf_text(&log));
    else if (rc == VOX_OK && vox_file_exists(vox_buf_text(&log)))
        rc = say_partial(j, folder, vox_buf_text(&log));
    pthread_mutex_lock(&j->lock);
    j->done++;
    if (rc == VOX_OK && j->cfg->progress)
        j->cfg->progress(j->cfg->arg, "convert", j->done, j->count);
    pthread_mutex_unlock(&j->lock);
    vox_buf_release(&from);
    vox_buf_release(&temp);
    vox_buf_release(&to);
    vox_buf_release(&log);
    return rc;
}

int vox_dicom_convert(const vox_dicom_cfg *cfg, vox_walk *w, vox_rejects *skipped)
{
    job j = {.cfg = cfg, .w = w, .skipped = skipped};
    int rc = vox_mkdirs(cfg->to);

    j.folder = vox_alloc((size_t)w->kinds[VOX_FILE_DICOM], sizeof *j.folder);
    if (!j.folder)
        return VOX_E_NOMEM;
    for (int64_t i = 0; i < w->count; i++) {
        if (w->v[i].kind == VOX_FILE_DICOM)
            j.folder[j.count++] = &w->v[i];
    }
    pthread_mutex_init(&j.lock, NULL);
    if (rc == VOX_OK)
        rc = vox_pool_run(j.count, cfg->threads, convert, &j);
    pthread_mutex_destroy(&j.lock);
    vox_free(j.folder);
    return rc;
}

/* Was a file of this path, which is restored, converted from one of the folders? Its folder's
 * path is what stands in front of the names of series. */
static int has_source(const vox_dict *folders, char *path)
{
    const size_t n = strlen(series);

    for (char *at = path; (at = strstr(at, series)); at++) {
        int found;

        if (at[n] != '/' || (at > path && at[-1] != '/'))
            continue;
        if (at == path) {
            found = (int)vox_dict_get(folders, "", 0);
        } else {
            at[-1] = '\0';
            found = (int)vox_dict_get(folders, path, 0);
            at[-1] = '/';
        }
        if (found)
            return 1;
    }
    return 0;
}

static int drop_files(vox_walk *w, const vox_dict *folders, vox_rejects *skipped)
{
    int64_t n = 0;

    for (int64_t i = 0; i < w->count; i++) {
        char *path = vox_arena_strdup(&w->arena, w->v[i].path);

        if (!path)
            return VOX_E_NOMEM;
        if (has_source(folders, path)) {
            w->v[n++] = w->v[i];
            continue;
        }
        w->kinds[w->v[i].kind]--;
        VOX_TRY(vox_walk_skip(w, skipped, path, "the DICOM it was made of is gone"));
    }
    w->count = n;
    return VOX_OK;
}

int vox_dicom_drop_stale(vox_walk *converted, const vox_walk *scans, vox_rejects *skipped)
{
    vox_dict folders = VOX_DICT_INIT;
    int rc = VOX_OK;

    for (int64_t i = 0; i < scans->count && rc == VOX_OK; i++) {
        if (scans->v[i].kind == VOX_FILE_DICOM)
            rc = vox_dict_set(&folders, scans->v[i].path, 1, NULL);
    }
    if (rc == VOX_OK)
        rc = drop_files(converted, &folders, skipped);
    vox_dict_release(&folders);
    return rc;
}
