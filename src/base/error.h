/*
 * error: a code that travels up, a message that grows frames on the way.
 *
 * Every function that can fail returns VOX_OK or a negative vox_code. The message lives in
 * thread storage until the next failure of the thread or vox_error_clear(). The function
 * that finds the fault writes the message (file, value found, value wanted); callers add
 * where.
 *
 *     return vox_fail(VOX_E_FORMAT, "%s: magic is \"%.4s\", wanted \"n+1\"", path, magic);
 *     ...
 *     rc = parse(...);
 *     if (rc != VOX_OK)
 *         rc = vox_fail_in(rc, "in %s", path);
 *
 * Bad input never aborts. A broken promise of our own does, in every build: VOX_ASSERT.
 */
#ifndef VOX_BASE_ERROR_H
#define VOX_BASE_ERROR_H

#include "base/compiler.h"
#include "vox/error.h" /* vox_code, vox_error_text */

/** A failure that leaves its thread: what a worker hands over with the failed item. */
typedef struct vox_error {
    int code;
    char text[1024];
    char cure[256];
} vox_error;

/**
 * Record a failure: replaces the thread's message.
 *
 * @return `code`, so that `return vox_fail(VOX_E_ARG, ...)` is one line.
 */
int vox_fail(int code, const char *fmt, ...) VOX_PRINTF(2, 3);

/** Add a frame in front of the thread's message ("in <frame>: <message>"); returns `code`.
 */
int vox_fail_in(int code, const char *fmt, ...) VOX_PRINTF(2, 3);

/** vox_fail with the text of errno appended: "...: No space left on device". */
int vox_fail_errno(int code, const char *fmt, ...) VOX_PRINTF(2, 3);

/** Say what the user can do about the thread's failure; returns `code`. */
int vox_cure(int code, const char *fmt, ...) VOX_PRINTF(2, 3);

/** What vox_cure said since the last vox_fail, "" when nothing; borrowed likewise. */
const char *vox_error_cure(void);

/** Forget the thread's message. */
void vox_error_clear(void);

/** Copy the thread's code and message into `out` and forget them. */
void vox_error_take(vox_error *out);

/** Make a taken failure this thread's own; returns its code. */
int vox_error_give(const vox_error *e);

/** Print the broken promise with file and line, then abort. Use VOX_ASSERT. */
VOX_NORETURN void vox_assert_failed(const char *what, const char *file, int line);

/** Forward a failure when there is nothing to clean up. */
#define VOX_TRY(call)              \
    do {                           \
        int vox_try_rc_ = (call);  \
        if (vox_try_rc_ != VOX_OK) \
            return vox_try_rc_;    \
    } while (0)

/** A promise of our own; checked in every build. */
#define VOX_ASSERT(cond) ((cond) ? (void)0 : vox_assert_failed(#cond, __FILE__, __LINE__))

#endif
