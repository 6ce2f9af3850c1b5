/* program: the real program, run from a test, and what it leaves behind. */
#ifndef VOX_TESTS_SUPPORT_PROGRAM_H
#define VOX_TESTS_SUPPORT_PROGRAM_H

#include <sys/types.h>

/** Start build/voxmind with these words (NULL-terminated); stdout and stderr go to `log`.
 */
pid_t program_start(const char *log, const char *const *words);

/** Wait for it. @return its exit status, or 128 + the signal that ended it */
int program_wait(pid_t pid);

/** Start and wait. */
int program_run(const char *log, const char *const *words);

/** Its words as they were printed; caller frees. */
char *program_said(const char *log);

/** A word list: PROGRAM("log", "inspect", "x.nii") */
#define PROGRAM(log, ...) program_run(log, (const char *const[]){__VA_ARGS__, NULL})

/** Write `count` small volumes of one subject each into a folder: smooth, with structure.
 */
void program_make_scans(const char *dir, int count, int edge);

/** Remove folders and files, as rm -rf. */
void program_remove(const char *paths);

/** Two runs ended the same: tensors and counters of their final checkpoints, and all lines
 * of metrics, except for times, places and the machine. Fails the test naming the
 * difference. */
void program_assert_same_run(const char *run_a, const char *run_b);

/** Number of lines of a file that hold `text`. */
int program_count_lines(const char *path, const char *text);

#endif
