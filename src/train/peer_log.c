/* peer_log: appends to the peer's kind of log. */
#include "train/peer_log.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"

static const char rule[] =
    "#######################################################################\n";

static void append(vox_peer_log *log, const char *text)
{
    FILE *f = log->path ? fopen(log->path, "a") : NULL;
    int bad = !f;

    if (!log->path)
        return;
    if (f) {
        bad = fputs(text, f) < 0;
        bad |= fclose(f) != 0;
    }
    if (bad && !log->warned) {
        log->warned = 1;
        vox_log(VOX_WARN, "train", "%s: cannot write (%s)", log->path, strerror(errno));
    }
}

int vox_peer_log_open(vox_peer_log *log, const char *dir)
{
    const time_t now = time(NULL);
    char name[96], head[512];
    struct tm tm;

    localtime_r(&now, &tm);
    snprintf(name, sizeof name, "training_log_%d_%d_%d_%02d_%02d_%02d.txt",
             tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
             tm.tm_sec);
    *log = (vox_peer_log)VOX_PEER_LOG_INIT;
    log->path = vox_path_join(dir, name);
    if (!log->path)
        return VOX_E_NOMEM;
    snprintf(head, sizeof head, "\n%sVoxmind %s (%s)\n%s\n", rule, vox_version(),
             vox_commit(), rule);
    append(log, head);
    return VOX_OK;
}

/* "2026-05-08 09:03:02.123456:" of now, local time. */
static void put_time(char out[static 40])
{
    const double wall = vox_clock_wall();
    const time_t whole = (time_t)wall;
    struct tm tm;
    size_t n;

    n = strftime(out, 40, "%Y-%m-%d %H:%M:%S", localtime_r(&whole, &tm));
    snprintf(out + n, 40 - n, ".%06d:", (int)((wall - (double)whole) * 1e6) % 1000000);
}

void vox_peer_log_line(vox_peer_log *log, const char *fmt, ...)
{
    char message[1024], when[40], line[1200];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    put_time(when);
    snprintf(line, sizeof line, "%s %s \n", when, message);
    append(log, line);
}

void vox_peer_log_value(vox_peer_log *log, const char *name, double v, int decimals)
{
    const double scale = pow(10, decimals);
    char number[32];

    if (isfinite(v))
        v = rint(v * scale) / scale;
    /* Python's repr has lower-case names for what JSON lacks */
    vox_peer_log_line(log, "%s %s", name,
                      isnan(v)   ? "nan"
                      : isinf(v) ? v > 0 ? "inf" : "-inf"
                                 : vox_json_double(v, number));
}

void vox_peer_log_text(vox_peer_log *log, const char *text)
{
    append(log, text);
}

void vox_peer_log_close(vox_peer_log *log)
{
    vox_free(log->path);
    *log = (vox_peer_log)VOX_PEER_LOG_INIT;
}
