/*
 * device: where tensors live and work is run. Everything that is not host memory goes
 * through this interface; addresses it returns must not be used on the host.
 *
 *     cpu   memory is the host's, `run` is done when it returns
 *     fake  the same kernels behind a separate address space (host access faults), with an
 *           asynchronous queue: engine tests run on it so that nothing assumes host
 *           pointers
 *     cuda  later
 */
#ifndef VOX_GRAPH_DEVICE_H
#define VOX_GRAPH_DEVICE_H

#include "graph/kernel.h"

typedef struct vox_device vox_device;

typedef struct vox_device_type {
    const char *name;
    /** Device memory, aligned to 64, contents undefined (NaN pattern on `fake`); NULL with
     * a message when there is none. */
    void *(*alloc)(vox_device *d, size_t bytes);
    void (*free)(vox_device *d, void *p, size_t bytes);
    /** Copies in queue order. upload returns when `src` may change; download when `dst`
     * holds the data. */
    int (*upload)(vox_device *d, void *dst, const void *src, size_t bytes);
    int (*download)(vox_device *d, void *dst, const void *src, size_t bytes);
    /** Run fn(arg) once on every member of the team, in queue order; returns at once where
     * the device is asynchronous, so `arg` must live until vox_device_sync. */
    void (*run)(vox_device *d, void (*fn)(void *arg), void *arg);
    /** Wait until the queue is empty. */
    void (*sync)(vox_device *d);
    /** The address `run`'s functions use for a device address. */
    void *(*real)(vox_device *d, void *p);
    void (*release)(vox_device *d);
} vox_device_type;

struct vox_device {
    const vox_device_type *type;
    const char *path;                 /* "reference", "plain", "avx2", "avx512" */
    vox_layout blocked;               /* layout of images with C >= 8 on this path */
    const vox_kernel *const *kernels; /* NULL-terminated, best first */
    const vox_step_kernels *steps;
    vox_winograd_use winograd;
    vox_context ctx;
    vox_team *team;     /* ctx.threads members */
    int64_t live, peak; /* bytes allocated now, and at most */
    void *own;          /* the type's data */
};

/** How the CPU's kernels compute, "cpu.<option>" in --set and in a bundle's options. */
typedef struct vox_cpu_cfg {
    int winograd;
} vox_cpu_cfg;
extern const vox_opt vox_cpu_opts[];

typedef struct vox_device_cfg {
    const char *name; /* "cpu" or "fake" */
    const char *path; /* NULL: VOX_CPU, else the best this CPU has */
    int threads;      /* 0: all allowed cores */
    vox_winograd_use winograd;
} vox_device_cfg;

/**
 * Open a device.
 * @return VOX_OK; VOX_E_ARG for an unknown name or path, VOX_E_MISSING when this machine
 * lacks it
 */
int vox_device_open(vox_device **out, const vox_device_cfg *cfg);

/** Wait for its work, release it. NULL is legal. */
void vox_device_close(vox_device *d);

/** The kernel for a problem: the first of the device's table that supports it; NULL: the
 * op's own functions compute it. */
const vox_kernel *vox_device_kernel(const vox_device *d, const vox_problem *q);

/* The calls of the type, counted. */
void *vox_device_alloc(vox_device *d, size_t bytes);
void vox_device_free(vox_device *d, void *p, size_t bytes);
int vox_device_upload(vox_device *d, void *dst, const void *src, size_t bytes);
int vox_device_download(vox_device *d, void *dst, const void *src, size_t bytes);
void vox_device_run(vox_device *d, void (*fn)(void *arg), void *arg);
void vox_device_sync(vox_device *d);

/** Kernel tables by path: backend/cpu/kernels.c. A NULL path of `vox_cpu_path` is the best.
 * @return VOX_OK; VOX_E_ARG (unknown), VOX_E_MISSING (not on this CPU) */
typedef struct vox_cpu_path {
    const char *name;
    vox_layout blocked;
    const vox_kernel *const *kernels;
    const vox_step_kernels *steps;
} vox_cpu_path;
int vox_cpu_path_find(const vox_cpu_path **out, const char *name);

#endif
