/* dict: a random program against a plain array. */
#include <stdio.h>
#include <string.h>

#include "base/dict.h"
#include "base/error.h"
#include "base/rng.h"
#include "support/unit.h"

enum { KEYS = 500, STEPS = 5000 };

static void agrees_with_an_array(void **state)
{
    static char key[KEYS][16];
    static int64_t value[KEYS];
    static int there[KEYS];
    vox_dict m = VOX_DICT_INIT;
    vox_rng r = vox_rng_at(1, VOX_STREAM("test"), 0);
    int64_t count = 0;

    (void)state;
    for (int i = 0; i < KEYS; i++)
        snprintf(key[i], sizeof key[i], "k%d", i * 7919);
    for (int s = 0; s < STEPS; s++) {
        const int i = (int)vox_rng_below(&r, KEYS);
        int added;

        assert_int_equal(vox_dict_get(&m, key[i], -1), there[i] ? value[i] : -1);
        if (vox_rng_below(&r, 4) == 0) {
            assert_int_equal(vox_dict_set(&m, key[i], s, &added), VOX_OK);
            assert_int_equal(added, !there[i]);
            count += added;
            there[i] = 1;
            value[i] = s;
        }
    }
    assert_int_equal(m.count, count);
    assert_true(count > KEYS / 2);
    vox_dict_release(&m);
    assert_int_equal(vox_dict_get(&m, key[0], -1), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
