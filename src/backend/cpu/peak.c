/* peak: timing the loops of peak_simd.c. */
#include "backend/cpu/peak.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/team.h"
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

/* What every member of a team does. */
typedef struct job {
    int which;
    int64_t n;
    double *rate; /* of the loop, by member, in GFLOP/s of its own time */
    float *v;     /* of the triad: three arrays of n */
} job;

static void run_loop(void *arg)
{
    const job *j = arg;
    volatile float sink = 0.0f;
    const double start = vox_clock_thread();
    const float value = loops[j->which].loop(j->n);

    j->rate[vox_team_member()] = 2e-9 * VOX_PEAK_CHAINS *
                                 (double)(loops[j->which].lanes * j->n) /
                                 (vox_clock_thread() - start);
    if (value == 42.5f) /* or the loop would be left out */
        sink = value;
    (void)sink;
}

static double best_rate(vox_team *team, int threads, job *j)
{
    double best = 0.0;

    for (int i = 0; i < RUNS; i++) {
        double total = 0.0;

        vox_team_run(team, run_loop, j);
        for (int m = 0; m < threads; m++)
            total += j->rate[m];
        best = total > best ? total : best;
    }
    return best;
}

double vox_cpu_peak_gflops(const char *path, int threads)
{
    job j = {.which = find(path), .n = 1000000};
    vox_team *team = NULL;
    double best = 0.0;

    if (j.which < 0)
        return 0.0;
    j.rate = vox_alloc((size_t)threads, sizeof *j.rate);
    if (j.rate && vox_team_new(&team, threads) == VOX_OK)
        best = best_rate(team, threads, &j);
    vox_team_free(team);
    vox_free(j.rate);
    return best;
}

static void run_triad(void *arg)
{
    const job *j = arg;

    loops[j->which].triad(j->v, j->v + j->n, j->v + 2 * j->n, j->n);
}

double vox_cpu_peak_bandwidth(int threads)
{
    job j = {.which = find(NULL) < 0 ? 0 : find(NULL), .n = (int64_t)16 << 20};
    vox_team *team = NULL;
    double best = 0.0;

    j.v = vox_zalloc(3 * (size_t)j.n, sizeof *j.v);
    if (j.v && vox_team_new(&team, threads) == VOX_OK) {
        for (int i = 0; i <= RUNS; i++) { /* the first finds no pages yet */
            const double start = vox_clock();
            double now;

            vox_team_run(team, run_triad, &j);
            now = 12e-9 * (double)j.n / (vox_clock() - start);
            best = i > 0 && now > best ? now : best;
        }
    }
    vox_team_free(team);
    vox_free(j.v);
    return best;
}
