# Options out of range or misspelt, outputs that cannot be written, run folders in use: one
# message, the right exit code, nothing half written.
. "$(dirname "$0")/../support/tap.sh"
. "$source/tests/support/scans.sh"
unset nnssl_raw nnssl_preprocessed nnssl_results
tiny=(--net resenc_xs --set 'resenc_unet.features=[8,8]' --set 'resenc_unet.blocks=[1,1]'
    --set 'resenc_unet.strides=[1,2]' --set mae.block=4 --patch 16 --batch 2 --steps 1
    --val-steps 1 --workers 1 -q)
mkdir scans
scan scans/one.nii
scan scans/two.nii 36 40 38

# ---- options ----

# misuse <text>... -- <command...>: exit code 2 and one message with every text
misuse() {
    local texts=()
    while [ "$1" != -- ]; do
        texts+=("$1")
        shift
    done
    shift
    exits 2 "misuse: $*" "$voxmind" "$@"
    complains "one message: $*" "${texts[@]}"
    silent stdout "and no result: $*"
}
misuse "unknown option --bach" "--batch" -- pretrain scans --bach 2
misuse "unknown option --pach" "--patch" -- bench step --pach 2
misuse "batch is 0" "from 1" -- pretrain scans --batch 0
misuse "lr is -1" "from 0" -- pretrain scans --lr=-1
misuse "epochs is many" "whole number" -- pretrain scans --epochs many
misuse "patch is 16,x" "whole numbers" -- pretrain scans --patch 16,x
misuse "2 values" "z,y,x" -- pretrain scans --patch 16,16
misuse "patch is 17x17x17" "multiples of" -- pretrain scans --net resenc_xs --patch 17
misuse "resenc_xl" "did you mean" -- pretrain scans --net resenc_xl
misuse "\"maee\"" "\"mae\"" -- pretrain scans --method maee
misuse "BaseMAETrainr" "BaseMAETrainer" -- pretrain scans -tr BaseMAETrainr
misuse "blok" "block" -- pretrain scans --set mae.blok=8
misuse "mae.block" "0" "from 1" -- pretrain scans --set mae.block=0
misuse "wanted key=value" -- pretrain scans --set mae.block
misuse "--resume" "--fresh" -- pretrain scans --resume --fresh
misuse "precision" "f64" -- pretrain scans --precision f64
misuse "threads is -1" "from 0" -- doctor --threads=-1
misuse "option --threads needs a value" -- doctor --threads
misuse "\"nes\"" "\"nets\"" -- list nes
misuse "wanted -d" -- fingerprint
misuse "Planner\"" "ExperimentPlanner" -- plan -d 1 -pl Planner
misuse "-np is 0" "from 1" -- preprocess -d 1 -np 0
misuse "2 values" "3 configurations" -- preprocess -d 1 -c median onemmiso noresample -np 1 2
misuse "-part is 2 of 2" "0 to 1" -- preprocess -d 1 -part 2 -total_parts 2
misuse "size is 99" "from 0.05" -- synth --out made --size 99
misuse "needs --out" -- synth
misuse "index needs a folder" -- index
misuse "unknown command \"pretrian\"" "\"pretrain\"" -- pretrian scans

# ---- outputs that cannot be written: below a file, which holds for root as well ----

echo text >file
exits 1 "index into a place that cannot be" "$voxmind" index scans -o file/x.json
complains "in one message" "file/x.json"
exits 1 "synth into a place that cannot be" "$voxmind" synth --out file/made --count 1 --size 0.1
complains "in one message" "file/made"
exits 1 "pretrain into a place that cannot be" "$voxmind" pretrain scans "${tiny[@]}" --epochs 1 --out file/run
complains "in one message" "file/run"
mkdir raw raw/Dataset001_A
exits 0 "a dataset" "$voxmind" index scans -o raw/Dataset001_A/pretrain_data.json
export nnssl_raw=$scratch/raw nnssl_preprocessed=$scratch/file/pp
exits 1 "fingerprint into a place that cannot be" "$voxmind" fingerprint -d 1
complains "in one message" "file/pp/Dataset001_A"
unset nnssl_raw nnssl_preprocessed
exits 1 "stdout that cannot be written" bash -c '"$0" list >/dev/full' "$voxmind"
complains "in one message" "cannot write the output"

# ---- run folders ----

exits 0 "a run" "$voxmind" pretrain scans "${tiny[@]}" --epochs 1 --out run
before=$(cksum run/checkpoint_final.pth run/metrics.jsonl)
exits 1 "the folder of a run is not overwritten" "$voxmind" pretrain scans "${tiny[@]}" --epochs 1 --out run
complains "in one message with both ways on" "run: holds a run" "--resume" "--fresh"
passes "and it is as it was" test "$before" = "$(cksum run/checkpoint_final.pth run/metrics.jsonl)"
exits 0 "--fresh moves it aside" "$voxmind" pretrain scans "${tiny[@]}" --epochs 1 --out run --fresh
passes "whole" test -s run.old-*/checkpoint_final.pth
exits 2 "a continued run cannot change" "$voxmind" pretrain scans "${tiny[@]}" --epochs 1 --out run --resume --lr 0.5
complains "in one message" "lr" "0.5"

# While it runs, nobody else may have it.
"$voxmind" pretrain scans "${tiny[@]}" --epochs 100000 --out busy >/dev/null 2>&1 &
pid=$!
for _ in $(seq 300); do
    [ -s busy/metrics.jsonl ] && break
    sleep 0.1
done
exits 1 "a folder in use is refused" "$voxmind" pretrain scans "${tiny[@]}" --epochs 1 --out busy --resume
complains "naming who has it" "busy" "$pid"
kill -TERM $pid
wait $pid
rc=$?
passes "SIGTERM: saved, 143" test $rc = 143
passes "its checkpoint is there" test -s busy/checkpoint_latest.pth
clean . "nothing is left half written"
plan
