/* dicom: one process per folder, a few at a time; its output goes to a file beside it. */
#include "data/dicom.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/pool.h"

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

static int remove_tree(const char *path)
{
    vox_strs names = {0};
    int rc = vox_is_dir(path) ? vox_dir_list(&names, path) : VOX_OK;

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

/* The last line that a program wrote, with why it ended. */
static int say_refused(job *j, const vox_file *folder, const char *log, int status)
{
    vox_buf text = VOX_BUF_INIT, why = VOX_BUF_INIT;
    const char *line;
    int rc;

    (void)vox_file_read(&text, log);
    while (text.len && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == ' '))
        text.data[--text.len] = '\0';
    line = strrchr(vox_buf_text(&text), '\n');
    rc = vox_buf_printf(&why, "%s refused it: %s %d, %.200s", program,
                        WIFEXITED(status) ? "exit status" : "signal",
                        WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
                        line ? line + 1 : vox_buf_text(&text));
    pthread_mutex_lock(&j->lock);
    if (rc == VOX_OK)
        rc = vox_walk_skip(j->w, j->skipped, folder->path, vox_buf_text(&why));
    pthread_mutex_unlock(&j->lock);
    vox_buf_release(&text);
    vox_buf_release(&why);
    return rc;
}

/* Convert a folder into `temp`, then give it its name. */
static int convert_into(job *j, const vox_file *folder, const char *from, const char *temp,
                        const char *to)
{
    vox_buf log = VOX_BUF_INIT;
    int status = 0, rc = vox_buf_printf(&log, "%s.log", temp);

    if (rc == VOX_OK)
        rc = remove_tree(temp);
    if (rc == VOX_OK)
        rc = vox_mkdirs(temp);
    if (rc == VOX_OK)
        rc = run(from, temp, *folder->path ? "%s_%d" : "%i/%t/%s_%d", vox_buf_text(&log),
                 &status);
    if (rc == VOX_OK && status != 0) {
        rc = say_refused(j, folder, vox_buf_text(&log), status);
        if (rc == VOX_OK)
            rc = remove_tree(temp);
    } else if (rc == VOX_OK && rename(temp, to) != 0) {
        rc = vox_fail_errno(VOX_E_IO, "%s: cannot rename it to %s", temp, to);
    }
    if (rc == VOX_OK)
        unlink(vox_buf_text(&log));
    vox_buf_release(&log);
    return rc;
}

/* The names of series, apart from folders of the same path that hold other series. */
static const char series[] = "dicom";

static int convert(void *arg, int64_t i)
{
    job *j = arg;
    const vox_file *folder = j->folder[i];
    vox_buf from = VOX_BUF_INIT, temp = VOX_BUF_INIT, to = VOX_BUF_INIT;
    int rc = vox_buf_printf(&from, "%s/%s", j->w->root, folder->path);

    if (rc == VOX_OK)
        rc = vox_buf_printf(&to, "%s%s%s/%s", j->cfg->to, *folder->path ? "/" : "",
                            folder->path, series);
    if (rc == VOX_OK)
        rc = vox_buf_printf(&temp, "%s.tmp", vox_buf_text(&to));
    if (rc == VOX_OK && !vox_is_dir(vox_buf_text(&to)))
        rc = convert_into(j, folder, vox_buf_text(&from), vox_buf_text(&temp),
                          vox_buf_text(&to));
    pthread_mutex_lock(&j->lock);
    j->done++;
    if (rc == VOX_OK && j->cfg->progress)
        j->cfg->progress(j->cfg->arg, "convert", j->done, j->count);
    pthread_mutex_unlock(&j->lock);
    vox_buf_release(&from);
    vox_buf_release(&temp);
    vox_buf_release(&to);
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
