/* saver: names, occasions, and going on when the disk is full. */
#include "train/saver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

/* ---- room ---- */

int vox_saver_check_room(const vox_folder *folder, int64_t bytes)
{
    char *path = vox_folder_path(folder, "room.tmp0");
    int fd, rc = VOX_OK;

    if (!path)
        return VOX_E_NOMEM;
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        rc = vox_fail_errno(VOX_E_IO, "%s: cannot write", folder->run);
    } else {
        errno = posix_fallocate(fd, 0, (off_t)bytes);
        if (errno && errno != EOPNOTSUPP && errno != EINVAL)
            rc = vox_fail_errno(VOX_E_IO, "%s: no room for a checkpoint of %.1f MB",
                                folder->run, (double)bytes / 1e6);
        close(fd);
        unlink(path);
    }
    vox_free(path);
    return rc;
}

/* ---- when ---- */

/* Saving shall take at most a fiftieth of the run; what takes under a second is no matter.
 */
static double least_gap(const vox_saver *s)
{
    return s->cost > 1 ? 50 * s->cost : 0;
}

/* Too early for this occasion's rule; said once. */
static int stretched(vox_saver *s, int keep, double gap)
{
    if (keep || gap >= least_gap(s))
        return 0;
    if (!s->told)
        vox_log(
            VOX_INFO, "train",
            "a checkpoint takes %.1f s: one in %.1f minutes at most, or saving would pass "
            "2 %% of the run (--checkpoint-every and --checkpoint-minutes are kept)",
            s->cost, least_gap(s) / 60);
    s->told = 1;
    return 1;
}

int vox_saver_due(vox_saver *s, vox_occasion occasion, int64_t epochs_done)
{
    const double gap = vox_clock() - s->last;

    if (s->off)
        return 0;
    switch (occasion) {
    case VOX_AFTER_STEP:
        return s->minutes > 0 && gap >= s->minutes * 60 &&
               !stretched(s, s->keep_minutes, gap);
    case VOX_AFTER_EPOCH:
        if (s->failed)
            return 1;
        return s->every > 0 && epochs_done % s->every == 0 &&
               !stretched(s, s->keep_every, gap);
    default:
        return 1;
    }
}

/* ---- writing ---- */

static int rename_in(const vox_folder *f, const char *from, const char *to)
{
    char *a = vox_folder_path(f, from), *b = vox_folder_path(f, to);
    int rc = a && b ? VOX_OK : VOX_E_NOMEM;

    if (rc == VOX_OK && rename(a, b) != 0 && errno != ENOENT)
        rc = vox_fail_errno(VOX_E_IO, "%s: cannot rename to %s", a, b);
    vox_free(a);
    vox_free(b);
    return rc;
}

static int write_as(const vox_folder *f, const char *name, const vox_saving *what)
{
    char *path = vox_folder_path(f, name);
    int rc = path ? vox_checkpoint_write(path, what) : VOX_E_NOMEM;

    vox_free(path);
    return rc;
}

static void remove_in(const vox_folder *f, const char *name)
{
    char *path = vox_folder_path(f, name);

    if (path)
        unlink(path);
    vox_free(path);
}

/* A second name for a file just written; a file is never changed once it has its name. */
static int name_best(const vox_folder *f, const char *written, const vox_saving *what)
{
    char *path = vox_folder_path(f, written);
    char *temp = vox_folder_path(f, "checkpoint_best.pth.tmp0");
    int rc = path && temp ? VOX_OK : VOX_E_NOMEM, linked = 0;

    if (rc == VOX_OK) {
        unlink(temp);
        linked = link(path, temp) == 0;
    }
    vox_free(path);
    vox_free(temp);
    if (rc != VOX_OK)
        return rc;
    return linked ? rename_in(f, "checkpoint_best.pth.tmp0", VOX_CHECKPOINT_BEST)
                  : write_as(f, VOX_CHECKPOINT_BEST, what);
}

/* Killed anywhere in here, the newest sound file is still found (vox_saver_newest). */
static int write_latest(const vox_folder *f, const vox_saving *what, int is_best)
{
    VOX_TRY(write_as(f, VOX_CHECKPOINT_NEXT, what));
    VOX_TRY(rename_in(f, VOX_CHECKPOINT_LATEST, VOX_CHECKPOINT_PREVIOUS));
    VOX_TRY(rename_in(f, VOX_CHECKPOINT_NEXT, VOX_CHECKPOINT_LATEST));
    return is_best ? name_best(f, VOX_CHECKPOINT_LATEST, what) : VOX_OK;
}

int vox_saver_save(vox_saver *s, const vox_saving *what, vox_occasion occasion, int is_best)
{
    const double start = vox_clock();
    int rc;

    if (s->off)
        return VOX_OK;
    rc = write_latest(s->folder, what, is_best);
    s->last = vox_clock();
    s->cost = s->last - start;
    if (rc == VOX_E_IO && occasion != VOX_ON_LEAVING) {
        vox_log(VOX_WARN, "train", "%s; the run goes on and tries again", vox_error_text());
        s->failed = 1;
        return VOX_OK;
    }
    if (rc == VOX_OK && s->failed)
        vox_log(VOX_INFO, "train", "checkpoints can be written again");
    s->failed = rc != VOX_OK;
    return rc;
}

int vox_saver_best(vox_saver *s, const vox_saving *what)
{
    int rc;

    if (s->off)
        return VOX_OK;
    rc = write_as(s->folder, VOX_CHECKPOINT_BEST, what);
    if (rc != VOX_E_IO)
        return rc;
    vox_log(VOX_WARN, "train", "%s; the run goes on", vox_error_text());
    return VOX_OK;
}

int vox_saver_finish(vox_saver *s, const vox_saving *what, int is_best)
{
    if (s->off)
        return VOX_OK;
    VOX_TRY(write_as(s->folder, VOX_CHECKPOINT_FINAL, what));
    if (is_best)
        VOX_TRY(name_best(s->folder, VOX_CHECKPOINT_FINAL, what));
    remove_in(s->folder, VOX_CHECKPOINT_NEXT); /* left by a run killed between renames */
    remove_in(s->folder, VOX_CHECKPOINT_LATEST);
    remove_in(s->folder, VOX_CHECKPOINT_PREVIOUS);
    return VOX_OK;
}

/* ---- finding ---- */

/* Move a damaged file out of the way, and say so. */
static int set_aside(const vox_folder *f, const char *name)
{
    char aside[64];

    vox_log(VOX_WARN, "train", "%s", vox_error_text());
    snprintf(aside, sizeof aside, "%s.damaged", name);
    VOX_TRY(rename_in(f, name, aside));
    vox_log(VOX_WARN, "train", "%s/%s is damaged: it was renamed to %s", f->run, name,
            aside);
    return VOX_OK;
}

/* Open one candidate; keep the further of it and what there is. */
static int consider(vox_saved *best, const vox_folder *f, const char *name, int *seen)
{
    char *path = vox_folder_path(f, name);
    vox_saved s = VOX_SAVED_INIT;
    int rc;

    if (!path)
        return VOX_E_NOMEM;
    if (!vox_file_exists(path)) {
        vox_free(path);
        return VOX_OK;
    }
    *seen = 1;
    rc = vox_saved_open(&s, path);
    vox_free(path);
    if (rc == VOX_E_FORMAT || rc == VOX_E_MISSING)
        return set_aside(f, name);
    if (rc == VOX_OK && (!best->path || s.at.total > best->at.total)) {
        vox_saved_close(best);
        *best = s;
    } else {
        vox_saved_close(&s);
    }
    return rc;
}

static int any_damaged(const vox_folder *f)
{
    vox_strs names = {0};
    int any = 0;

    if (vox_dir_list(&names, f->run) != VOX_OK)
        vox_error_clear();
    for (int64_t i = 0; i < names.count; i++)
        any |= strncmp(names.v[i], "checkpoint_", 11) == 0 &&
               vox_ends_with(names.v[i], ".damaged");
    vox_strs_release(&names);
    return any;
}

int vox_saver_newest(vox_saved *out, const vox_folder *folder)
{
    /* all of them: best alone is written when it is not time for latest */
    static const char *const names[] = {VOX_CHECKPOINT_FINAL, VOX_CHECKPOINT_NEXT,
                                        VOX_CHECKPOINT_LATEST, VOX_CHECKPOINT_PREVIOUS,
                                        VOX_CHECKPOINT_BEST};
    int seen = 0, rc = VOX_OK;

    for (int i = 0; i < VOX_COUNT(names) && rc == VOX_OK; i++)
        rc = consider(out, folder, names[i], &seen);
    if (rc != VOX_OK) {
        vox_saved_close(out);
        return rc;
    }
    if (out->path)
        return VOX_OK;
    if (seen || any_damaged(folder))
        return vox_fail(VOX_E_FORMAT,
                        "%s: has checkpoints, but none that is sound; --fresh starts anew",
                        folder->run);
    return VOX_E_MISSING;
}
