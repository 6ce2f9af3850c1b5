/* metrics: JSON lines that survive a full disk and are cut to a checkpoint's step. */
#include "train/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json_object.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"

/* Does the line belong to the first `steps` steps and `epochs` epochs? */
static int keeps(const char *line, size_t len, int64_t steps, int64_t epochs, int64_t *last)
{
    json_object *o = NULL, *step, *epoch;
    int keep = 0;

    if (vox_json_parse(&o, line, len, "metrics.jsonl") != VOX_OK) {
        vox_error_clear();
        return 0;
    }
    step = vox_json_get(o, "step");
    epoch = vox_json_get(o, "epoch_done");
    if (step && json_object_get_int64(step) > *last)
        *last = json_object_get_int64(step);
    if (step)
        keep = json_object_get_int64(step) <= steps;
    else if (epoch)
        keep = json_object_get_int64(epoch) < epochs;
    json_object_put(o);
    return keep;
}

static int cut(const char *path, int64_t steps, int64_t epochs, int64_t *last)
{
    vox_buf text = VOX_BUF_INIT;
    size_t kept = 0;
    int rc = vox_file_read(&text, path);

    for (size_t at = 0; rc == VOX_OK && at < text.len;) {
        const char *end = memchr(text.data + at, '\n', text.len - at);
        const size_t n = end ? (size_t)(end - text.data) - at : 0;

        if (!end) /* torn: the process died while writing it */
            break;
        if (keeps(text.data + at, n, steps, epochs, last)) {
            memmove(text.data + kept, text.data + at, n + 1);
            kept += n + 1;
        }
        at += n + 1;
    }
    if (rc == VOX_OK && kept < text.len)
        rc = vox_file_write(path, text.data, kept);
    vox_buf_release(&text);
    return rc;
}

int vox_metrics_open(vox_metrics *m, const char *path, int64_t steps, int64_t epochs,
                     int64_t *last)
{
    int64_t highest = 0;

    *m = (vox_metrics)VOX_METRICS_INIT;
    if (vox_file_exists(path))
        VOX_TRY(cut(path, steps, epochs, &highest));
    if (last)
        *last = highest;
    m->path = vox_strdup(path);
    if (!m->path)
        return VOX_E_NOMEM;
    m->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (m->fd < 0) {
        const int rc = vox_fail_errno(VOX_E_IO, "%s: cannot write", path);

        vox_metrics_close(m);
        return rc;
    }
    return VOX_OK;
}

int vox_metrics_begin(vox_metrics *m)
{
    return vox_buf_add(&m->pending, "{", 1);
}

static int add_key(vox_metrics *m, const char *key)
{
    const int first = m->pending.data[m->pending.len - 1] == '{';

    return vox_buf_printf(&m->pending, "%s\"%s\": ", first ? "" : ", ", key);
}

int vox_metrics_int(vox_metrics *m, const char *key, int64_t v)
{
    VOX_TRY(add_key(m, key));
    return vox_buf_printf(&m->pending, "%" PRId64, v);
}

int vox_metrics_num(vox_metrics *m, const char *key, double v)
{
    char text[32];

    VOX_TRY(add_key(m, key));
    return vox_buf_printf(&m->pending, "%s",
                          isfinite(v) ? vox_json_double(v, text) : "null");
}

/* Write as much as the disk takes; the rest stays. */
static void drain(vox_metrics *m)
{
    size_t done = 0;

    if (m->pending.len == 0)
        return;
    while (done < m->pending.len) {
        const ssize_t n = write(m->fd, m->pending.data + done, m->pending.len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    if (done < m->pending.len && !m->warned) {
        m->warned = 1;
        vox_log(VOX_WARN, "train", "%s: cannot write (%s); lines are kept until it can",
                m->path, strerror(errno));
    }
    memmove(m->pending.data, m->pending.data + done, m->pending.len - done);
    m->pending.len -= done;
    if (m->pending.len == 0)
        m->warned = 0;
}

int vox_metrics_end(vox_metrics *m)
{
    VOX_TRY(vox_buf_add(&m->pending, "}\n", 2));
    drain(m);
    return VOX_OK;
}

void vox_metrics_sync(vox_metrics *m)
{
    if (m->fd < 0)
        return;
    drain(m);
    fsync(m->fd);
}

void vox_metrics_close(vox_metrics *m)
{
    if (m->fd >= 0) {
        drain(m);
        close(m->fd);
    }
    vox_free(m->path);
    vox_buf_release(&m->pending);
    *m = (vox_metrics)VOX_METRICS_INIT;
}
