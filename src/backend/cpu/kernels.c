/*
 * kernels: the tables of CPU kernels, one per path, and the choice of the path.
 *
 *     reference   no kernels: every node runs the op's own functions
 *     plain       8 lanes on any CPU
 *     avx2        8 lanes, x86-64-v3
 *     avx512      16 lanes, x86-64-v4
 */
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "graph/device.h"

/* kernels.def three times: the declarations and the table of each path. */
#define VOX_KERNEL_ROW(name) extern const vox_kernel vox_kernel_##name##_plain;
#include "backend/cpu/kernels.def"
#undef VOX_KERNEL_ROW
static const vox_kernel *const plain[] = {
#define VOX_KERNEL_ROW(name) &vox_kernel_##name##_plain,
#include "backend/cpu/kernels.def"
#undef VOX_KERNEL_ROW
    NULL,
};

#ifdef VOX_HAVE_X86_PATHS
#define VOX_KERNEL_ROW(name) extern const vox_kernel vox_kernel_##name##_avx2;
#include "backend/cpu/kernels.def"
#undef VOX_KERNEL_ROW
static const vox_kernel *const avx2[] = {
#define VOX_KERNEL_ROW(name) &vox_kernel_##name##_avx2,
#include "backend/cpu/kernels.def"
#undef VOX_KERNEL_ROW
    NULL,
};

#define VOX_KERNEL_ROW(name) extern const vox_kernel vox_kernel_##name##_avx512;
#include "backend/cpu/kernels.def"
#undef VOX_KERNEL_ROW
static const vox_kernel *const avx512[] = {
#define VOX_KERNEL_ROW(name) &vox_kernel_##name##_avx512,
#include "backend/cpu/kernels.def"
#undef VOX_KERNEL_ROW
    NULL,
};
#endif

static const vox_kernel *const none[] = {NULL};

/* step_simd.c */
extern const vox_step_kernels vox_step_plain, vox_step_avx2, vox_step_avx512;

/* Worst first. */
static const struct {
    vox_isa needs;
    vox_cpu_path path;
} paths[] = {
    {VOX_ISA_BASE,   {"reference", VOX_PLAIN, none, &vox_step_reference}},
    {VOX_ISA_BASE,   {"plain", VOX_BLOCKED8, plain, &vox_step_plain}    },
#ifdef VOX_HAVE_X86_PATHS
    {VOX_ISA_AVX2,   {"avx2", VOX_BLOCKED8, avx2, &vox_step_avx2}       },
    {VOX_ISA_AVX512, {"avx512", VOX_BLOCKED16, avx512, &vox_step_avx512}},
#endif
};

const vox_opt vox_cpu_opts[] = {
    VOX_OPT_BOOL(vox_cpu_cfg, winograd, 1,
                 "3x3x3 convolutions by Winograd's tiles where that is faster"),
    VOX_OPT_END,
};

static const vox_cpu_path *best(void)
{
    int i = VOX_COUNT(paths) - 1;

    while (!vox_cpu_has(paths[i].needs))
        i--;
    return &paths[i].path;
}

int vox_cpu_path_find(const vox_cpu_path **out, const char *name)
{
    if (!name || !name[0])
        name = getenv("VOX_CPU");
    if (!name || !name[0]) {
        *out = best();
        return VOX_OK;
    }
    for (int i = 0; i < VOX_COUNT(paths); i++) {
        if (strcmp(paths[i].path.name, name) != 0)
            continue;
        if (!vox_cpu_has(paths[i].needs)) {
            return vox_fail(VOX_E_MISSING,
                            "kernel path %s: this CPU does not have it (best: %s)", name,
                            best()->name);
        }
        *out = &paths[i].path;
        return VOX_OK;
    }
    return vox_fail(
        VOX_E_ARG, "kernel path \"%s\" is unknown, wanted reference, plain, avx2 or avx512",
        name);
}
