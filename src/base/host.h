/* host: what is free of the machine now. What the process may use at most: base/cpu.h. */
#ifndef VOX_BASE_HOST_H
#define VOX_BASE_HOST_H

#include <stdint.h>

/** Bytes of memory the process could still get: what the machine has available, at most
 * what vox_cpu_memory() and RLIMIT_AS leave beyond what it uses already. */
int64_t vox_host_memory(void);

/** Bytes free to this user on the file system of `path` (or of its nearest parent that
 * exists); INT64_MAX when unknown. */
int64_t vox_host_disk(const char *path);

/** Bytes of memory this process has resident now, and the most it has had; 0 when unknown.
 */
int64_t vox_host_resident(void);
int64_t vox_host_peak(void);

#endif
