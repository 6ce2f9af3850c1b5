/* mem, arena, buf: counting, failing on request, alignment, overflow. */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/host.h"
#include "base/mem.h"
#include "support/unit.h"

static void blocks_are_counted_and_aligned(void **state)
{
    const int64_t blocks = vox_mem_blocks(), bytes = vox_mem_bytes();
    char *p = vox_zalloc(3, 5);

    (void)state;
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % 64, 0);
    assert_int_equal(vox_mem_blocks(), blocks + 1);
    assert_int_equal(vox_mem_bytes(), bytes + 15);
    memcpy(p, "abcdefghijklmn", 15);
    p = vox_realloc(p, 100, 1);
    assert_string_equal(p, "abcdefghijklmn");
    vox_free(p);
    assert_int_equal(vox_mem_blocks(), blocks);
    assert_int_equal(vox_mem_bytes(), bytes);
}

/* Sanitizers keep freed blocks. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

/* What is freed goes back, whatever the allocator would like to keep. */
static void large_blocks_are_returned(void **state)
{
    enum { N = 16, SIZE = 3 << 20 };

    (void)state;
    if (SANITIZED)
        skip();
    vox_mem_tidy();
    for (int round = 0; round < 2; round++) { /* in the second it would have learnt */
        const int64_t before = vox_host_resident();
        int64_t full;
        void *p[N], *wall;

        for (int i = 0; i < N; i++) {
            p[i] = vox_zalloc(SIZE, 1);
            assert_non_null(p[i]);
        }
        wall = vox_alloc(1, 100); /* nothing below it could be trimmed */
        full = vox_host_resident();
        for (int i = 0; i < N; i++)
            vox_free(p[i]);
        assert_true(full - before > N / 2 * SIZE);
        assert_true(vox_host_resident() - before < 2 * SIZE);
        vox_free(wall);
    }
}

/* Huge pages must not make it larger than it is. */
static void a_large_block_holds_what_was_asked_for(void **state)
{
    const size_t size = (size_t)33 << 20;
    const int64_t before = vox_host_resident();
    char *p = vox_zalloc(size, 1);

    (void)state;
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % 64, 0);
    if (!SANITIZED)
        assert_in_range(vox_host_resident() - before, size / 2, size + (1 << 20));
    p = vox_realloc(p, size + 5, 1);
    assert_non_null(p);
    assert_int_equal(p[size - 1], 0);
    vox_free(p);
}

static void overflow_and_ordered_failure(void **state)
{
    char *p;

    (void)state;
    assert_null(vox_alloc(SIZE_MAX / 2, 4));
    vox_mem_fail_at(2);
    p = vox_alloc(1, 1);
    assert_non_null(p);
    assert_null(vox_alloc(1, 1));
    assert_string_equal(vox_error_text(), "no memory for 1 bytes");
    vox_free(p);
    p = vox_alloc(1, 1);
    assert_non_null(p);
    vox_free(p);
}

static void arrays_grow_exactly_or_by_half(void **state)
{
    int64_t *v = NULL, cap = 0;

    (void)state;
    assert_int_equal(vox_grow(&v, &cap, 1000, sizeof *v), VOX_OK);
    assert_int_equal(cap, 1000); /* a large array asked for at once wastes nothing */
    v[999] = 7;
    assert_int_equal(vox_grow(&v, &cap, 1001, sizeof *v), VOX_OK);
    assert_in_range(cap, 1500, 1600);
    assert_int_equal(v[999], 7);
    assert_int_equal(vox_grow(&v, &cap, INT64_MAX, sizeof *v), VOX_E_NOMEM);
    assert_in_range(cap, 1500, 1600);
    assert_int_equal(v[999], 7);
    vox_free(v);
}

static void arena_holds_small_and_large(void **state)
{
    const int64_t blocks = vox_mem_blocks();
    vox_arena a = VOX_ARENA_INIT;
    char *last = NULL;

    (void)state;
    for (int i = 1; i < 3000; i++) {
        char *p = vox_arena_alloc(&a, (size_t)i, 1);

        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (int k = 0; k < i; k++)
            assert_int_equal(p[k], 0);
        memset(p, 0xff, (size_t)i);
        last = p;
    }
    assert_non_null(vox_arena_alloc(&a, 1000000, 1));
    assert_int_equal(last[0] & 0xff, 0xff);
    assert_string_equal(vox_arena_printf(&a, "%d-%s", 7, "x"), "7-x");
    vox_arena_release(&a);
    assert_int_equal(vox_mem_blocks(), blocks);
}

static void buf_is_always_text(void **state)
{
    vox_buf b = VOX_BUF_INIT;

    (void)state;
    assert_string_equal(vox_buf_text(&b), "");
    assert_int_equal(vox_buf_printf(&b, "%d,", 42), VOX_OK);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(vox_buf_add(&b, "xy", 2), VOX_OK);
    assert_int_equal(b.len, 2003);
    assert_int_equal(strlen(vox_buf_text(&b)), 2003);
    assert_int_equal(vox_buf_resize(&b, 3), VOX_OK);
    assert_string_equal(vox_buf_text(&b), "42,");
    assert_int_equal(vox_buf_resize(&b, 5), VOX_OK);
    assert_memory_equal(b.data, "42,\0\0", 6);
    vox_buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_counted_and_aligned),
        cmocka_unit_test(large_blocks_are_returned),
        cmocka_unit_test(a_large_block_holds_what_was_asked_for),
        cmocka_unit_test(overflow_and_ordered_failure),
        cmocka_unit_test(arrays_grow_exactly_or_by_half),
        cmocka_unit_test(arena_holds_small_and_large),
        cmocka_unit_test(buf_is_always_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
