/* error: the thread's message and its frames. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local vox_error last;

int vox_fail(int code, const char *fmt, ...)
{
    va_list ap;
    char text[sizeof last.text]; /* the arguments may point into last.text */

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    memcpy(last.text, text, sizeof text);
    last.cure[0] = '\0';
    last.code = code;
    return code;
}

int vox_fail_in(int code, const char *fmt, ...)
{
    va_list ap;
    char frame[sizeof last.text + 2], cause[sizeof last.text];
    size_t n, m;

    memcpy(cause, last.text, sizeof cause);
    va_start(ap, fmt);
    vsnprintf(frame, sizeof last.text, fmt, ap);
    va_end(ap);
    strcat(frame, ": ");
    n = strlen(frame);
    m = strlen(cause);
    if (n > sizeof last.text - 1)
        n = sizeof last.text - 1;
    if (m > sizeof last.text - 1 - n)
        m = sizeof last.text - 1 - n;
    memcpy(last.text, frame, n);
    memcpy(last.text + n, cause, m);
    last.text[n + m] = '\0';
    last.code = code;
    return code;
}

int vox_fail_errno(int code, const char *fmt, ...)
{
    const int err = errno;
    va_list ap;
    char text[sizeof last.text];
    size_t n;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    n = strlen(text);
    snprintf(text + n, sizeof text - n, ": %s", strerror(err));
    memcpy(last.text, text, sizeof text);
    last.cure[0] = '\0';
    last.code = code;
    return code;
}

int vox_cure(int code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(last.cure, sizeof last.cure, fmt, ap);
    va_end(ap);
    return code;
}

const char *vox_error_cure(void)
{
    return last.cure;
}

const char *vox_error_text(void)
{
    return last.text;
}

void vox_error_clear(void)
{
    last.code = VOX_OK;
    last.text[0] = last.cure[0] = '\0';
}

void vox_error_take(vox_error *out)
{
    *out = last;
    vox_error_clear();
}

int vox_error_give(const vox_error *e)
{
    last = *e;
    return e->code;
}

void vox_assert_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "voxmind: broken promise: %s (%s:%d)\n", what, file, line);
    abort();
}
