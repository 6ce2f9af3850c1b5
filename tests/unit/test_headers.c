/* headers: those of the two arms can stand in one file, as train/ needs them: no name means
 * two things. */
#include "support/unit.h"

#include "data/build.h"
#include "data/loader.h"
#include "graph/plan.h"
#include "io/montage.h"
#include "io/plot.h"
#include "io/png.h"
#include "io/pth.h"
#include "io/safetensors.h"
#include "methods/method.h"
#include "transforms/transform.h"

/* That this file compiles is the test; the types below are the ones that once met. */
static void test_both_arms(void **state)
{
    const vox_tensor of_the_graph = {.layout = VOX_PLAIN};

    (void)state;
    assert_null(of_the_graph.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_both_arms)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
