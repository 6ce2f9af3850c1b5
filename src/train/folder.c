/* folder: making, locking and moving aside. */
#include "train/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

char *vox_folder_path(const vox_folder *f, const char *name)
{
    return vox_path_join(f->run, name);
}

static int is_trace_of_run(const char *dir, const char *name)
{
    char *path;
    int yes;

    if (strncmp(name, "checkpoint_", 11) == 0)
        return vox_ends_with(name, ".pth") || vox_ends_with(name, ".damaged");
    if (strcmp(name, "metrics.jsonl"))
        return 0;
    path = vox_path_join(dir, name);
    yes = path && vox_file_size(path) > 0;
    vox_free(path);
    return yes;
}

int vox_folder_holds_run(const char *run)
{
    vox_strs names = {0};
    int holds = 0;

    if (vox_is_dir(run) && vox_dir_list(&names, run) != VOX_OK)
        vox_error_clear();
    for (int64_t i = 0; i < names.count; i++)
        holds |= is_trace_of_run(run, names.v[i]);
    vox_strs_release(&names);
    return holds;
}

/* Who holds the lock, from the text they left. */
static int fail_locked(const char *run, const char *path)
{
    vox_buf text = VOX_BUF_INIT;
    int rc;

    if (vox_file_read(&text, path) != VOX_OK)
        vox_error_clear();
    rc = vox_fail(VOX_E_EXISTS, "%s: in use by %s; wait for it, or name another folder",
                  run, text.len ? text.data : "another process");
    vox_buf_release(&text);
    return rc;
}

static void write_owner(int fd)
{
    char host[128] = "this host", when[64], text[256];
    const time_t now = time(NULL);
    struct tm tm;
    int n;

    gethostname(host, sizeof host - 1);
    strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", localtime_r(&now, &tm));
    n = snprintf(text, sizeof text, "process %ld on %s since %s", (long)getpid(), host,
                 when);
    if (ftruncate(fd, 0) != 0 || write(fd, text, (size_t)n) != n)
        errno = 0; /* the lock holds without its text */
}

static int take_lock(vox_folder *f)
{
    char *path = vox_folder_path(f, ".lock");
    int rc = VOX_OK;

    if (!path)
        return VOX_E_NOMEM;
    f->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (f->lock < 0) {
        rc = vox_fail_errno(VOX_E_IO, "%s: cannot write", path);
    } else if (flock(f->lock, LOCK_EX | LOCK_NB) != 0) {
        rc = errno == EWOULDBLOCK ? fail_locked(f->run, path)
                                  : vox_fail_errno(VOX_E_IO, "%s: cannot lock", path);
        close(f->lock);
        f->lock = -1;
    } else {
        write_owner(f->lock);
    }
    vox_free(path);
    return rc;
}

/* "<run>.old-20260508-090302", the first of that name that is free. Caller frees. */
static char *aside_name(const char *run)
{
    const time_t now = time(NULL);
    const size_t n = strlen(run) + 64;
    char when[32], *path = vox_alloc(n, 1);
    size_t len = strlen(run);
    struct tm tm;

    if (!path)
        return NULL;
    while (len > 1 && run[len - 1] == '/')
        len--;
    strftime(when, sizeof when, "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
    snprintf(path, n, "%.*s.old-%s", (int)len, run, when);
    for (int i = 2; vox_file_exists(path); i++)
        snprintf(path, n, "%.*s.old-%s-%d", (int)len, run, when, i);
    return path;
}

static int move(const char *from_dir, const char *to_dir, const char *name)
{
    char *from = vox_path_join(from_dir, name), *to = vox_path_join(to_dir, name);
    int rc = VOX_OK;

    if (!from || !to)
        rc = VOX_E_NOMEM;
    else if (vox_file_exists(from) && rename(from, to) != 0)
        rc = vox_fail_errno(VOX_E_IO, "%s: cannot move to %s", from, to);
    vox_free(from);
    vox_free(to);
    return rc;
}

/* Everything but the lock and the data derived from the scans. */
static int move_aside(vox_folder *f)
{
    char *aside = aside_name(f->run);
    vox_strs names = {0};
    int rc = aside ? vox_mkdirs(aside) : VOX_E_NOMEM;

    if (rc == VOX_OK)
        rc = vox_dir_list(&names, f->run);
    for (int64_t i = 0; rc == VOX_OK && i < names.count; i++) {
        if (strcmp(names.v[i], ".lock") && strcmp(names.v[i], VOX_FOLDER_DATA))
            rc = move(f->run, aside, names.v[i]);
    }
    if (rc == VOX_OK)
        vox_log(VOX_INFO, "train", "the run in %s was moved to %s", f->run, aside);
    vox_strs_release(&names);
    vox_free(aside);
    return rc;
}

/* "<file of a run>.tmp<pid>": other people's files in the folder stay. */
static int is_torn(const char *name)
{
    static const char *const endings[] = {".pth.tmp", ".json.tmp", ".jsonl.tmp", ".png.tmp",
                                          "room.tmp"};

    for (int i = 0; i < VOX_COUNT(endings); i++) {
        const char *at = strstr(name, endings[i]);
        const char *pid = at ? at + strlen(endings[i]) : "";

        if (*pid && pid[strspn(pid, "0123456789")] == '\0')
            return 1;
    }
    return 0;
}

/* Remove what a killed process was writing. The lock is held, so nobody is now. */
static int sweep(const vox_folder *f)
{
    vox_strs names = {0};
    int rc = vox_dir_list(&names, f->run);

    for (int64_t i = 0; rc == VOX_OK && i < names.count; i++) {
        char *path = is_torn(names.v[i]) ? vox_folder_path(f, names.v[i]) : NULL;

        if (path)
            unlink(path);
        vox_free(path);
    }
    vox_strs_release(&names);
    return rc;
}

static int apply_rule(vox_folder *f, vox_use use)
{
    if (use == VOX_USE_RESUME || !vox_folder_holds_run(f->run))
        return sweep(f);
    if (use == VOX_USE_FRESH)
        return move_aside(f);
    return vox_fail(
        VOX_E_EXISTS,
        "%s: holds a run; --resume continues it, --fresh moves it aside and starts",
        f->run);
}

int vox_folder_open(vox_folder *f, const char *run, const char *top, vox_use use)
{
    int rc;

    *f = (vox_folder)VOX_FOLDER_INIT;
    f->run = vox_strdup(run);
    f->top = vox_strdup(top);
    rc = f->run && f->top ? vox_mkdirs(run) : VOX_E_NOMEM;
    if (rc == VOX_OK)
        rc = take_lock(f);
    if (rc == VOX_OK)
        rc = apply_rule(f, use);
    if (rc != VOX_OK)
        vox_folder_close(f);
    return rc;
}

void vox_folder_close(vox_folder *f)
{
    if (f->lock >= 0)
        close(f->lock);
    vox_free(f->run);
    vox_free(f->top);
    *f = (vox_folder)VOX_FOLDER_INIT;
}
