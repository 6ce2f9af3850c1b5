/* pool: every piece once, the first failure handed over. */
#include <stdatomic.h>
#include <string.h>

#include "base/error.h"
#include "base/pool.h"
#include "support/unit.h"

enum { PIECES = 1000 };

static atomic_int seen[PIECES];

static int mark(void *arg, int64_t i)
{
    const int64_t bad = *(const int64_t *)arg;

    atomic_fetch_add(&seen[i], 1);
    return i == bad ? vox_fail(VOX_E_IO, "piece %d is bad", (int)i) : VOX_OK;
}

static void every_piece_once(void **state)
{
    (void)state;
    for (int threads = 0; threads <= 8; threads += 4) {
        int64_t bad = -1;

        memset(seen, 0, sizeof seen);
        assert_int_equal(vox_pool_run(PIECES, threads, mark, &bad), VOX_OK);
        for (int i = 0; i < PIECES; i++)
            assert_int_equal(seen[i], 1);
    }
    assert_int_equal(vox_pool_run(0, 4, mark, NULL), VOX_OK);
}

static void failure_ends_it(void **state)
{
    int64_t bad = 10;

    (void)state;
    memset(seen, 0, sizeof seen);
    assert_int_equal(vox_pool_run(PIECES, 4, mark, &bad), VOX_E_IO);
    assert_string_equal(vox_error_text(), "piece 10 is bad");
    memset(seen, 0, sizeof seen);
    assert_int_equal(vox_pool_run(PIECES, 1, mark, &bad), VOX_E_IO);
    assert_int_equal(seen[10], 1);
    assert_int_equal(seen[11], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_once),
        cmocka_unit_test(failure_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
