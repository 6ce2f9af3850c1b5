# Does every entry of a kind (op, net, method, command, ...) have its line, and every line its entry?
. "$(dirname "$0")/../support/tap.sh"

passes "tables and entries of the project agree" "$arch/check_tables" "$source"

mkdir -p "$scratch/src/ops"
echo "VOX_OP(add)" >"$scratch/src/ops/ops.def"
echo "const vox_op vox_op_add = {" >"$scratch/src/ops/add.c"
passes "an entry with its line" "$arch/check_tables" "$scratch"

echo "const vox_op vox_op_mul = {" >"$scratch/src/ops/mul.c"
refuses "an entry without its line" "vox_op_mul has no line" "$arch/check_tables" "$scratch"
rm "$scratch/src/ops/mul.c"

echo "VOX_OP(div)" >>"$scratch/src/ops/ops.def"
refuses "a line without its entry" "no file exports vox_op_div" "$arch/check_tables" "$scratch"

printf 'VOX_OP(add)\nVOX_OP(add)\n' >"$scratch/src/ops/ops.def"
refuses "a line written twice" "add is listed twice" "$arch/check_tables" "$scratch"

echo 'VOX_PRESET(resenc_l, resenc_unet, "{}")' >"$scratch/src/ops/presets.def"
echo "VOX_OP(add)" >"$scratch/src/ops/ops.def"
passes "a row of data promises no entry" "$arch/check_tables" "$scratch"

echo "const vox_kernel VOX_KERNEL(vox_kernel_conv3d) = {" >"$scratch/src/ops/conv3d_simd.c"
refuses "a kernel without its line" "vox_kernel_conv3d has no line" "$arch/check_tables" "$scratch"
echo "VOX_KERNEL_ROW(conv3d)" >"$scratch/src/ops/kernels.def"
passes "a kernel with its line" "$arch/check_tables" "$scratch"
plan
