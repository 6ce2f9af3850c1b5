/*
 * error: how functions of the library say that they failed.
 *
 * A function that can fail returns VOX_OK or a negative vox_code; what went wrong, with the
 * file, what was found and what was wanted, is the thread's message.
 */
#ifndef VOX_ERROR_H
#define VOX_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum vox_code {
    VOX_OK = 0,
    VOX_E_ARG = -1,     /* a value the caller passed is out of its range */
    VOX_E_NOMEM = -2,   /* no memory, or more than the process may use */
    VOX_E_IO = -3,      /* the system refused: open, read, write, full disk */
    VOX_E_FORMAT = -4,  /* bytes that are not what they claim to be */
    VOX_E_MISSING = -5, /* something named is not there: file, key, tensor */
    VOX_E_EXISTS = -6,  /* something is there that must not be overwritten */
    VOX_E_USAGE = -7,   /* the command line is wrong: exit code 2 */
    VOX_E_STOP = -8,    /* asked to stop (a signal), nothing is wrong */
    VOX_E_NUMERIC = -9  /* a value that must be finite is not */
} vox_code;

/** The thread's message, "" when there is none; borrowed until the next failure. */
const char *vox_error_text(void);

#ifdef __cplusplus
}
#endif

#endif
