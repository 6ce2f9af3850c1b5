/* Cores and memory come from affinity and control groups, read from made-up proc and sys
 * trees. */
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/file.h"
#include "graph/device.h"

static const int64_t gib = (int64_t)1 << 30;

/* Put `text` into `path` below the scratch folder "tree", with its folders. */
static void put(const char *path, const char *text)
{
    char dir[512], name[512];

    snprintf(name, sizeof name, "tree/%s", path);
    snprintf(dir, sizeof dir, "%s", name);
    *strrchr(dir, '/') = 0;
    assert_int_equal(vox_mkdirs(dir), VOX_OK);
    assert_int_equal(vox_file_write(name, text, strlen(text)), VOX_OK);
}

static int clear(void **state)
{
    (void)state;
    return system("rm -rf tree");
}

static vox_cpu_limits limits(void)
{
    vox_cpu_limits l;

    vox_cpu_limits_read(&l, "tree");
    return l;
}

static void nothing_readable_limits_nothing(void **state)
{
    (void)state;
    assert_true(limits().memory == INT64_MAX);
    assert_true(limits().cores >= 1);
    put("proc/meminfo", "MemFree: 3 kB\nMemTotal:       8388608 kB\n");
    assert_true(limits().memory == 8 * gib);
}

static void version_2_takes_the_smallest_of_all_parents(void **state)
{
    (void)state;
    put("proc/meminfo", "MemTotal: 67108864 kB\n");
    put("proc/self/cgroup", "0::/jobs/one\n");
    put("sys/fs/cgroup/jobs/one/memory.max", "max\n");
    put("sys/fs/cgroup/jobs/memory.max", "4294967296\n");
    put("sys/fs/cgroup/memory.max", "8589934592\n");
    put("sys/fs/cgroup/jobs/one/cpu.max", "max 100000\n");
    put("sys/fs/cgroup/jobs/cpu.max", "50000 100000\n");
    assert_true(limits().memory == 4 * gib);
    assert_int_equal(limits().cores, 1);
}

static void version_1_has_a_tree_per_controller(void **state)
{
    (void)state;
    put("proc/meminfo", "MemTotal: 67108864 kB\n");
    put("proc/self/cgroup", "4:memory:/a/b\n3:cpu,cpuacct:/c\n0::/\n");
    put("sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
    put("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "2147483648\n");
    put("sys/fs/cgroup/cpu/c/cpu.cfs_quota_us", "-1\n");
    put("sys/fs/cgroup/cpu/c/cpu.cfs_period_us", "100000\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    assert_true(limits().memory == 2 * gib);
    assert_int_equal(limits().cores, 1);
}

static void this_machine_is_plausible(void **state)
{
    char model[128];

    (void)state;
    assert_in_range(vox_cpu_cores(), 1, 4096);
    assert_true(vox_cpu_memory() > 64 << 20);
    assert_true(strlen(vox_cpu_model(model)) > 0);
    assert_true(vox_cpu_has(VOX_ISA_BASE));
    if (vox_cpu_has(VOX_ISA_AVX512))
        assert_true(vox_cpu_has(VOX_ISA_AVX2));
}

static void paths_by_name(void **state)
{
    const vox_cpu_path *path, *best;

    (void)state;
    unsetenv("VOX_CPU");
    assert_int_equal(vox_cpu_path_find(&best, NULL), VOX_OK);
    assert_int_equal(vox_cpu_path_find(&path, "plain"), VOX_OK);
    assert_string_equal(path->name, "plain");
    assert_int_equal(path->blocked, VOX_BLOCKED8);
    setenv("VOX_CPU", "reference", 1);
    assert_int_equal(vox_cpu_path_find(&path, NULL), VOX_OK);
    assert_string_equal(path->name, "reference");
    assert_int_equal(vox_cpu_path_find(&path, "plain"), VOX_OK); /* an argument beats it */
    assert_string_equal(path->name, "plain");
    setenv("VOX_CPU", "sse9", 1);
    assert_int_equal(vox_cpu_path_find(&path, NULL), VOX_E_ARG);
    assert_non_null(strstr(vox_error_text(), "sse9"));
    unsetenv("VOX_CPU");
    if (!vox_cpu_has(VOX_ISA_AVX512)) {
        assert_int_equal(vox_cpu_path_find(&path, "avx512"), VOX_E_MISSING);
        assert_non_null(strstr(vox_error_text(), best->name));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_readable_limits_nothing, clear),
        cmocka_unit_test_setup(version_2_takes_the_smallest_of_all_parents, clear),
        cmocka_unit_test_setup(version_1_has_a_tree_per_controller, clear),
        cmocka_unit_test(this_machine_is_plausible),
        cmocka_unit_test(paths_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
