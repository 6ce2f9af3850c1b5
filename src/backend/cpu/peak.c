/* peak: timing the loops of peak_simd.c. */
#include "backend/cpu/peak.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "graph/device.h"

enum { RUNS = 7 };

typedef float loop_fn(int64_t n);
typedef void triad_fn(float *a, const float *b, const float *c, int64_t count);

#define DECLARE(path)                      \
    float vox_peak_loop_##path(int64_t n); \
    void vox_peak_triad_##path(float *a, const float *b, const float *c, int64_t count);
DECLARE(avx2)
DECLARE(avx512)

static const struct {
    const char *name;
    int lanes;
    loop_fn *loop;
    triad_fn *triad;
} loops[] = {
    {"plain",  8,  vox_peak_loop_plain,  vox_peak_triad_plain },
#ifdef VOX_HAVE_X86_PATHS
    {"avx2",   8,  vox_peak_loop_avx2,   vox_peak_triad_avx2  },
    {"avx512", 16, vox_peak_loop_avx512, vox_peak_triad_avx512},
#endif
};

static int find(const char *name)
{
    const vox_cpu_path *path;

    if (vox_cpu_path_find(&path, name) != VOX_OK)
        return -1;
    for (int i = 0; i < VOX_COUNT(loops); i++) {
        if (strcmp(loops[i].name, path->name) == 0)
            return i;
    }
    return -1;
}

/* Sum over the threads of what each does in a second of its own time. */
static double run_loop(int which, int threads, int64_t n)
{
    double total = 0.0;
    volatile float sink = 0.0f;

#pragma omp parallel num_threads(threads) reduction(+ : total)
    {
        const double start = vox_clock_thread();
        const float value = loops[which].loop(n);

        total += 2e-9 * VOX_PEAK_CHAINS * (double)(loops[which].lanes * n) /
                 (vox_clock_thread() - start);
        if (value == 42.5f) /* or the loop would be left out */
            sink = value;
    }
    (void)sink;
    return total;
}

double vox_cpu_peak_gflops(const char *path, int threads)
{
    const int which = find(path);
    double best = 0.0;

    for (int i = 0; which >= 0 && i < RUNS; i++) {
        const double now = run_loop(which, threads, 1000000);

        best = now > best ? now : best;
    }
    return best;
}

double vox_cpu_peak_bandwidth(int threads)
{
    const int64_t count = (int64_t)16 << 20;
    const int which = find(NULL) < 0 ? 0 : find(NULL);
    float *v = vox_zalloc(3 * (size_t)count, sizeof *v);
    double best = 0.0;

    for (int i = 0; v && i <= RUNS; i++) {
        const double start = vox_clock();
        double now;

#pragma omp parallel num_threads(threads)
        {
            loops[which].triad(v, v + count, v + 2 * count, count);
        }
        now = 12e-9 * (double)count / (vox_clock() - start);
        best = i > 0 && now > best ? now : best;
    }
    vox_free(v);
    return best;
}
