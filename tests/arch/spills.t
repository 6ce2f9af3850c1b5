# Do the accumulators of hot kernels stay in registers?
. "$(dirname "$0")/../support/tap.sh"
build=$(dirname "$voxmind")
cache=$build/CMakeCache.txt

# cached <name>: a value of the build's configuration
cached() {
    sed -n "s/^$1:[A-Z]*=//p" "$cache" 2>/dev/null
}

[ -d "$build/CMakeFiles/vox_avx2.dir" ] || skip_all "no kernels for x86 in $build"
[ -z "$(cached VOX_SANITIZE)" ] || skip_all "a sanitizer's code is no measure"
[ "$(cached CMAKE_BUILD_TYPE)" != Debug ] || skip_all "unoptimised code is no measure"
command -v objdump >/dev/null || skip_all "there is no objdump"

passes "hot kernels of the project keep their sums in registers" \
    "$arch/check_spills" "$arch/spills.txt" "$build"

# sums <how many>: a loop with that many sums of 8 floats. AVX2 has 16 registers.
sums() {
    local folder
    for folder in avx2 avx512; do
        mkdir -p "CMakeFiles/vox_$folder.dir/src"
        cat >sums_simd.c <<C
typedef float vec __attribute__((vector_size(32), aligned(4)));
void sum(float *to, const float *from, long n)
{
    vec s[$1];
    #pragma GCC unroll 64
    for (int i = 0; i < $1; i++)
        s[i] = *(const vec *)(to + 8 * i);
    for (; n > 0; n--, from += $1)
        #pragma GCC unroll 64
        for (int i = 0; i < $1; i++)
            s[i] += from[i] * *(const vec *)from;
    #pragma GCC unroll 64
    for (int i = 0; i < $1; i++)
        *(vec *)(to + 8 * i) = s[i];
}
C
        "$(cached CMAKE_C_COMPILER)" -O2 -march=x86-64-v3 -ffp-contract=fast -c sums_simd.c \
            -o "CMakeFiles/vox_$folder.dir/src/sums_simd.c.o" || exit 1
    done
}

echo "sums_simd sum 0" >table
sums 8
passes "8 sums fit into 16 registers" "$arch/check_spills" table .
sums 24
refuses "24 sums do not, and it shows" "sum on avx2 has" "$arch/check_spills" table .
echo "sums_simd sum 1000" >table
passes "as many accesses as allowed are allowed" "$arch/check_spills" table .
echo "sums_simd plus_.* 0" >table
refuses "a pattern without a function guards nothing" "is called plus_" "$arch/check_spills" table .
echo "gone_simd sum 0" >table
refuses "neither does a file that is gone" "no object of path avx2" "$arch/check_spills" table .
plan
