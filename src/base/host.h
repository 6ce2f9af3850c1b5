/* host: what this process may use of the machine: affinity and cgroups, not what is built
 * in. */
#ifndef VOX_BASE_HOST_H
#define VOX_BASE_HOST_H

#include <stdint.h>

/** Cores the process may run on: affinity and the cgroup's CPU quota, at least 1. */
int vox_host_cores(void);

/** Bytes of memory the process could still get: what the machine has free or can reclaim,
 * cut by the cgroup's limit and by RLIMIT_AS; INT64_MAX when nothing is known. */
int64_t vox_host_memory(void);

/** Bytes free to this user on the file system of `path` (or of its nearest parent that
 * exists); INT64_MAX when unknown. */
int64_t vox_host_disk(const char *path);

/** Most bytes of memory this process has had resident; 0 when unknown. */
int64_t vox_host_peak(void);

#endif
