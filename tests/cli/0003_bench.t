# voxmind bench: one JSON line per result, with the keys that readers rely on.
. "$(dirname "$0")/../support/tap.sh"

exits 0 "bench peak" "$voxmind" bench peak
for key in bench cpu threads gflops_one gflops_all gbytes_one gbytes_all; do
    says stdout "peak says $key" "\"$key\":"
done

small=(--net resenc_xs --set 'resenc_unet.features=[8,8]' --set 'resenc_unet.blocks=[1,1]'
    --set 'resenc_unet.strides=[1,2]' --set mae.block=4 --patch 16 --batch 2 --threads 1)
exits 0 "bench step" "$voxmind" bench step "${small[@]}" --repeat 2 --profile
passes "its keys in their order" grep -qE '^\{"bench":"step","method":"mae","net":"resenc_xs","patch":\[16,16,16\],"batch":2,"threads":1,"cpu":"[a-z0-9]+","ms":\[[0-9.e-]+,[0-9.e-]+\],"ms_median":[0-9.e-]+,"ms_min":[0-9.e-]+,"ms_update":[0-9.e-]+,"gflop":[0-9.e-]+,"peak_gflops":[0-9.e-]+,"share_of_peak":[0-9.e-]+,"rss_mib":[0-9.e-]+\}$' stdout
says stderr "--profile prints a table of ops" "conv3d"

exits 0 "bench step on another device" "$voxmind" bench step "${small[@]}" --repeat 1 --device fake -q
silent stderr "-q says nothing"

exits 0 "bench ops of a problem" "$voxmind" bench ops conv3d "1x8x4x4x4 out=16" "1x8x4x4x4 in=0,1,2" --repeat 1 --threads 1 -q
number='[0-9.e-]+'
passes "its keys in their order" grep -qE '^\{"bench":"ops","op":"conv3d","problem":"1x8x4x4x4 out=16","pass":"forward","kernel":"[a-z0-9_]+","count":1,"threads":1,"cpu":"[a-z0-9]+","precision":"f32","repeat":[0-9]+,"ms_median":'$number',"ms_min":'$number',"gflop":'$number',"gflops":'$number',"gbytes":'$number',"peak_gflops":'$number',"share_of_peak":'$number'\}$' stdout
passes "a line per problem and pass" test "$(cut -d'"' -f12,16 stdout | tr '\n' ' ')" = \
    '1x8x4x4x4 out=16"forward 1x8x4x4x4 out=16"data 1x8x4x4x4 out=16"weight 1x8x4x4x4 in=0,1,2"forward 1x8x4x4x4 in=0,1,2"data 1x8x4x4x4 in=0,1,2"weight '
silent stderr "-q says nothing"
exits 0 "bench ops of a net" "$voxmind" bench ops "${small[@]}" --repeat 1
passes "the stem has no gradient of its data" test "$(grep -c '"problem":"2x1x16x16x16 in=0,1,2",' stdout)" = 2
passes "equal problems are one with a count" grep -qE '"op":"conv3d","problem":"2x8x16x16x16 in=0,1,2","pass":"data","kernel":"[a-z0-9_]+","count":2,' stdout
passes "what is not counted is null" grep -qE '"op":"norm_act".*"pass":"backward".*"gflop":null,"gflops":null' stdout
exits 0 "bench ops of one op of a net" "$voxmind" bench ops avg_pool3d "${small[@]}" --repeat 1
passes "no other op is there" test "$(grep -c avg_pool3d stdout)" = "$(wc -l <stdout)"
exits 0 "bench ops of an op's own problems" env VOX_CPU=reference "$voxmind" bench ops mask_blocks --repeat 1
says stdout "by the reference" '"kernel":"reference"'

exits 0 "bench ops of a net that stores bf16" "$voxmind" bench ops "${small[@]}" --repeat 1 --precision bf16
for op in conv3d norm_act; do
    passes "$op with two images says bf16" grep -q '"op":"'$op'","problem":"2x8x16x16x16 in=0,1,2,3".*"precision":"bf16"' stdout
done
passes "what is plain is f32" grep -q '"op":"mask_blocks".*"precision":"f32"' stdout
exits 0 "bench ops of a problem stored as bf16" "$voxmind" bench ops norm_act "1x8x4x4x4 in=0,1,2,3" --repeat 1 --precision bf16
lacks stdout "both passes are" '"f32"'

# within <KiB> <command...>: with so much address space, where the program can start so at all
within() { bash -c 'ulimit -v "$0" && exec "$@"' "$@"; }
if within 2000000 "$voxmind" --version >/dev/null 2>&1; then
    big=(--net resenc_xs --patch 128 --batch 8 --threads 1)
    exits 1 "a step that does not fit" within 1000000 "$voxmind" bench step "${big[@]}"
    says stderr "is refused" "GiB are free"
    exits 0 "one of its problems does" within 1000000 "$voxmind" bench ops mask_blocks "${big[@]}" --repeat 1
    says stdout "of a single sample" '"problem":"1x1x128x128x128 in1='
    crowd=("${small[@]}" --patch 48 --workers 4000)
    exits 1 "a loader that does not fit" within 2000000 "$voxmind" estimate "${crowd[@]}"
    exits 0 "is not there in bench step" within 2000000 "$voxmind" bench step "${crowd[@]}" --repeat 1
fi
. "$source/tests/support/scans.sh"
scan head.nii
mkdir tmp
exits 0 "bench preprocess" env TMPDIR="$scratch/tmp" "$voxmind" bench preprocess head.nii --repeat 2
passes "its keys in their order" grep -qE '^\{"bench":"preprocess","file":"head.nii","step":"read","shape":\[32,36,40\],"shape_made":\[32,54,40\],"repeat":2,"seconds":'$number',"seconds_min":'$number',"mbytes":0.184,"mbytes_per_s":'$number',"rss_mib":'$number'\}$' stdout
passes "a line per step" test "$(cut -d'"' -f12 stdout | tr '\n' ,)" = \
    'read,crop,statistics,normalise,resample,write zstd,write lz4,read crop zstd,read crop lz4,'
passes "nothing is left" [ -z "$(ls tmp)" ]
exits 1 "bench preprocess of what is no image" env TMPDIR="$scratch/tmp" "$voxmind" bench preprocess none.nii
passes "leaves nothing either" [ -z "$(ls tmp)" ]
exits 2 "bench preprocess of nothing" "$voxmind" bench preprocess

exits 2 "an unknown op is misuse" "$voxmind" bench ops conv3
says stderr "it says what was meant" '"conv3d"'
exits 2 "a text that is no problem" "$voxmind" bench ops conv3d "2x8x4x4x4 out=0"
says stderr "it says why" "out is 0"
exits 2 "too many words" "$voxmind" bench peak step
exits 2 "an unknown bench is misuse" "$voxmind" bench setp
says stderr "it says what was meant" '"step"'
exits 2 "repeat out of range" "$voxmind" bench step --repeat 0
says stderr "it names found and wanted" "repeat is 0, wanted a whole number from 1"
exits 2 "an option misspelt" "$voxmind" bench step --bach 3
says stderr "the nearest one is suggested" "--batch"
exits 2 "an unknown net" "$voxmind" bench step --net resenc_xl
says stderr "the nearest one is suggested" "resenc_"
exits 2 "a patch the net cannot take" "$voxmind" bench step --net resenc_xs --patch 17
says stderr "found and wanted" "17"
plan
