# The workflow of nnssl as its users type it, under its command names.
. "$(dirname "$0")/../support/tap.sh"
. "$source/tests/support/scans.sh"
bin=$(dirname "$voxmind")
export nnssl_raw=$scratch/raw nnssl_preprocessed=$scratch/pp nnssl_results=$scratch/res
unset nnUNet_def_n_proc nnUNet_n_proc_DA
mkdir -p raw/Dataset012_Heads scans pp res
for i in 1 2 3 4 5 6 7; do
    scan scans/head$i.nii $((30 + i)) 36 32
done
exits 0 "index" "$voxmind" index scans -o raw/Dataset012_Heads/pretrain_data.json

exits 0 "nnssl_extract_fingerprint" "$bin/nnssl_extract_fingerprint" -d 12 -np 2 --verbose
says stdout "all images" "7 images"
exits 0 "an existing fingerprint is kept" "$bin/nnssl_extract_fingerprint" -d 12
says stdout "and it says so" "kept"
exits 0 "unless --clean" "$bin/nnssl_extract_fingerprint" -d 12 --clean
says stdout "and it says so" "written to"
exits 0 "nnssl_plan_experiment" "$bin/nnssl_plan_experiment" -d 12 -pl ExperimentPlanner

# Parts, in any order; the last joins the lists.
for part in 2 0; do
    exits 0 "part $part of 3" "$bin/nnssl_preprocess" -d 12 -np 2 -c onemmiso -part $part -total_parts 3 --verbose
    passes "the lists are not joined yet" test ! -e pp/Dataset012_Heads/valid_imgs.json
done
exits 0 "part 1 of 3" "$bin/nnssl_preprocess" -d 12 -np 2 -c onemmiso -part 1 -total_parts 3
exits 0 "the joined list" "$voxmind" inspect pp/Dataset012_Heads/valid_imgs.json
says stdout "holds all images" "7"
exits 0 "again, all are kept" "$bin/nnssl_preprocess" -d 12 -c onemmiso --json
says stdout "none is made" '"made":0,"kept":7'
exits 0 "two configurations, workers each" "$bin/nnssl_preprocess" -d 12 -c median noresample -np 1 2
passes "median" test -e pp/Dataset012_Heads/nnsslPlans_median
passes "noresample" test -e pp/Dataset012_Heads/nnsslPlans_noresample
exits 0 "nnssl_plan_and_preprocess" "$bin/nnssl_plan_and_preprocess" -d 12 -c onemmiso -npfp 1 -np 1 --no_pp

exits 0 "bench loader" "$voxmind" bench loader 12 onemmiso --patch 32,32,64 --workers 2 --repeat 1 -q
passes "its keys in their order" grep -qE '^\{"bench":"loader","method":"mae","patch":\[32,32,64\],"crop":\[32,32,64\],"workers":2,"images":[2-6],"bad":0,"samples":16,"samples_per_s":[0-9.e-]+,"ms_read":[0-9.e-]+,"ms_prepare":[0-9.e-]+,"rss_mib":[0-9.e-]+\}$' stdout
silent stderr "-q says nothing"
exits 2 "scans that are not preprocessed" "$voxmind" bench loader scans
says stderr "are named" "scans: is a folder of scans, wanted a preprocessed dataset"

tiny=(--net resenc_xs --set 'resenc_unet.features=[8,8]' --set 'resenc_unet.blocks=[1,1]'
    --set 'resenc_unet.strides=[1,2]' --set mae.block=4 --patch 16 --batch 2 --steps 1
    --val-steps 1 --epochs 1 --workers 1)
exits 0 "nnssl_train" "$bin/nnssl_train" 12 onemmiso -p nnsslPlans -num_gpus 1 -device cpu "${tiny[@]}"
run=res/Dataset012_Heads/mae_resenc_xs__nnsslPlans__onemmiso
for file in plans.json adaptation_plan.json fold_all/checkpoint_final.pth fold_all/metrics.jsonl; do
    passes "$file is where nnssl has it" test -s "$run/$file"
done
passes "so is the split" test -s pp/Dataset012_Heads/splits_final.json
exits 0 "inspect of the checkpoint" "$voxmind" inspect --json "$run/fold_all/checkpoint_final.pth"
says stdout "where training stands" '"training":{"epoch":1,"step":1,"trainer":"mae_resenc_xs"}'
clean . "nothing is left half written"
plan
