/*
 * cpu: what this process may use of the machine: instruction sets, cores, memory.
 *
 * Cores and memory are what affinity and control groups allow, not what the host has: a job
 * given 2 of 64 cores must not start 64 threads, and one given 16 GiB must plan for 16 GiB.
 */
#ifndef VOX_BASE_CPU_H
#define VOX_BASE_CPU_H

#include <stddef.h>
#include <stdint.h>

/** Instruction sets that kernel paths are built for. */
typedef enum vox_isa {
    VOX_ISA_BASE,   /* what the compiler assumes anyway */
    VOX_ISA_AVX2,   /* x86-64-v3: AVX2, FMA, BMI2 */
    VOX_ISA_AVX512, /* x86-64-v4: AVX-512 F, BW, CD, DQ, VL */
    VOX_ISA_BF16    /* AVX512 and vdpbf16ps */
} vox_isa;

/** 1 when CPU and system both have it. */
int vox_cpu_has(vox_isa isa);

/** "Intel(R) Xeon(R) ...", or "unknown CPU". Returns buf. */
const char *vox_cpu_model(char buf[static 128]);

/** Limits of this process. */
typedef struct vox_cpu_limits {
    int cores;      /* in the affinity mask, at most the CPU quota rounded up; at least 1 */
    int64_t memory; /* bytes the process may use: host memory, at most the smallest limit */
} vox_cpu_limits;

/**
 * Read the limits: affinity, control groups of version 1 and 2 with all their parents.
 *
 * @param root  "" for this machine; tests put a folder here that holds proc/ and sys/
 * Files that are missing or unreadable limit nothing; the call cannot fail.
 */
void vox_cpu_limits_read(vox_cpu_limits *out, const char *root);

/** Cores this process may use. */
int vox_cpu_cores(void);

/** Bytes of memory this process may use. */
int64_t vox_cpu_memory(void);

#endif
