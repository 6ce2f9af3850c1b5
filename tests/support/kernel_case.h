/*
 * kernel_case: one call of one CPU kernel, without a graph: operands given plain, laid out
 * as the path wants, results taken plain. Memory the kernel must write is filled with NaN
 * first.
 */
#ifndef VOX_TESTS_SUPPORT_KERNEL_CASE_H
#define VOX_TESTS_SUPPORT_KERNEL_CASE_H

#include "graph/device.h"

typedef struct kernel_case {
    const vox_cpu_path *path;
    const vox_kernel *kernel;
    vox_problem problem;
    vox_call call;
    vox_context ctx;
    vox_arena arena;
    vox_prepared prepared;
    void *block[64]; /* everything allocated */
    int blocks;
} kernel_case;

/** Begin a case of that op on a path; asserts that the path has a kernel for it. */
void kernel_case_init(kernel_case *k, const char *path, const char *op, const void *attr,
                      int threads);
void kernel_case_release(kernel_case *k);

/** Operand i from plain values (f32), and its gradient's fate; `put` ADD starts from
 * `before`. */
void kernel_case_in(kernel_case *k, int i, vox_role role, vox_shape shape,
                    const float *plain, vox_put put, const float *before);

/** Operand i of u8. */
void kernel_case_in_u8(kernel_case *k, int i, vox_shape shape, const uint8_t *data);

/** Output 0, its gradient from plain values (NULL: none), bytes of saved data. */
void kernel_case_out(kernel_case *k, vox_shape shape, const float *dout, size_t saved);

/** 1 if the kernel takes the case; then it is prepared. */
int kernel_case_prepare(kernel_case *k);

/** Run a function of the kernel on all threads. */
void kernel_case_run(kernel_case *k, void (*fn)(const vox_call *));

/** Results in plain order, `out` of the shape's size. Asserts that padding lanes are zero.
 */
void kernel_case_get_out(const kernel_case *k, float *out);
void kernel_case_get_din(const kernel_case *k, int i, float *out);

/** Repeatable values in [-1, 1). */
void kernel_case_fill(float *v, int64_t count, uint32_t seed);

/** Paths with kernels that this machine has; NULL-terminated. */
const char *const *kernel_case_paths(void);

#endif
