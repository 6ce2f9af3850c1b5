# Does every include point downward (layers.txt)?
. "$(dirname "$0")/../support/tap.sh"

tree() {
    rm -rf "$scratch/src"
    mkdir -p "$scratch/src/$(dirname "$1")"
    echo "#include \"$2\"" >"$scratch/src/$1"
}

passes "every include of the project points downward" "$arch/check_includes" "$arch/layers.txt" "$source"

tree graph/plan.c base/arena.h
passes "graph may include base" "$arch/check_includes" "$arch/layers.txt" "$scratch"
tree base/arena.c graph/plan.h
refuses "base may not include graph" "src/base/arena.c:1: base may not include" \
    "$arch/check_includes" "$arch/layers.txt" "$scratch"
tree nets/resenc_unet.c image/volume.h
refuses "the two arms do not know each other" "nets may not include" \
    "$arch/check_includes" "$arch/layers.txt" "$scratch"
tree backend/cpu/conv3d_simd.c backend/cuda/conv3d.h
refuses "one backend does not include another" "may not include" \
    "$arch/check_includes" "$arch/layers.txt" "$scratch"
tree ops/conv3d.c conv3d.h
refuses "an include names its folder" "without its folder" \
    "$arch/check_includes" "$arch/layers.txt" "$scratch"
tree misc/a.c base/arena.h
refuses "a folder without a line is found" "no line in layers.txt" \
    "$arch/check_includes" "$arch/layers.txt" "$scratch"
plan
