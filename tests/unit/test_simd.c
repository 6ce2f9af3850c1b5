/* The vector layer on its plain path. */
#include "support/simd_checks.h"

int main(void)
{
    return simd_checks(VOX_ISA_BASE);
}
