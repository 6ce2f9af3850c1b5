# voxmind bench: one JSON line per result, with the keys that readers rely on.
. "$(dirname "$0")/../support/tap.sh"

exits 0 "bench peak" "$voxmind" bench peak
for key in bench cpu threads gflops_one gflops_all gbytes_one gbytes_all; do
    says stdout "peak says $key" "\"$key\":"
done

small=(--net resenc_xs --set 'resenc_unet.features=[8,8]' --set 'resenc_unet.blocks=[1,1]'
    --set 'resenc_unet.strides=[1,2]' --set mae.block=4 --patch 16 --batch 2 --threads 1)
exits 0 "bench step" "$voxmind" bench step "${small[@]}" --repeat 2 --profile
passes "its keys in their order" grep -qE '^\{"bench":"step","method":"mae","net":"resenc_xs","patch":\[16,16,16\],"batch":2,"threads":1,"cpu":"[a-z0-9]+","ms_median":[0-9.e-]+,"ms_min":[0-9.e-]+,"gflop":[0-9.e-]+,"peak_gflops":[0-9.e-]+,"share_of_peak":[0-9.e-]+,"rss_mib":[0-9.e-]+\}$' stdout
says stderr "--profile prints a table of ops" "conv3d"

exits 0 "bench step on another device" "$voxmind" bench step "${small[@]}" --repeat 1 --device fake -q
silent stderr "-q says nothing"

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
