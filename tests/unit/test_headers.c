/* headers: those of the two arms can stand in one file, as train/ needs them: no name means
 * two things. Headers that are still being written join when they come. */
#include "support/unit.h"

#include "data/loader.h"
#include "graph/plan.h"
#include "methods/method.h"
#if __has_include("io/tensor_file.h")
#include "io/tensor_file.h"
#endif
#if __has_include("io/safetensors.h")
#include "io/safetensors.h"
#endif
#if __has_include("io/pth.h")
#include "io/pth.h"
#endif
#if __has_include("io/plot.h")
#include "io/plot.h"
#endif
#if __has_include("data/build.h")
#include "data/build.h"
#endif

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
