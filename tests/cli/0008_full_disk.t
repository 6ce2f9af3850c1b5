# A disk that is full from the start, and files at their limit: one message that names the file,
# exit code 1, nothing half written.
. "$(dirname "$0")/../support/tap.sh"
. "$source/tests/support/scans.sh"
unset nnssl_raw nnssl_preprocessed nnssl_results
tiny=(--net resenc_xs --set 'resenc_unet.features=[8,8]' --set 'resenc_unet.blocks=[1,1]'
    --set 'resenc_unet.strides=[1,2]' --set mae.block=4 --patch 16 --batch 2 --steps 1
    --val-steps 1 --epochs 1 --workers 1 -q)
mkdir scans raw raw/Dataset001_A
scan scans/one.nii
scan scans/two.nii 36 40 38
"$voxmind" index scans -o raw/Dataset001_A/pretrain_data.json >/dev/null
export nnssl_raw=$scratch/raw

# try <where> <how...>: every command that writes, into a folder without room
try() {
    local at=$1
    shift
    exits 1 "index ($at)" "$@" "$voxmind" index scans -o "$at/x.json"
    complains "names the file" "$at/x.json"
    exits 1 "synth ($at)" "$@" "$voxmind" synth --out "$at/made" --count 2 --size 0.6 --threads 1
    complains "names the file" "$at/made"
    exits 1 "pretrain ($at)" "$@" "$voxmind" pretrain scans "${tiny[@]}" --out "$at/run"
    complains "names the file" "$at/run"
    passes "no checkpoint stands there ($at)" test ! -e "$at/run/checkpoint_final.pth"
    exits 1 "plan-and-preprocess ($at)" env nnssl_preprocessed="$scratch/$at/pp" \
        "$@" "$voxmind" plan-and-preprocess -d 1
    complains "names the file" "$at/pp/Dataset001_A"
    passes "no image stands there ($at)" [ -z "$(find "$at" -name '*.b2nd' -o -name 'head*.nii.gz')" ]
    clean "$at" "nothing is left half written ($at)"
}

# Files may not grow beyond 1 KiB: the limit of a shell stands for a quota.
mkdir limit
cat >limited <<'SH'
#!/usr/bin/env bash
ulimit -f 1
exec "$@"
SH
chmod +x limited
try limit ./limited

# A file system without a free byte, where this user may mount one.
mkdir full
trap 'umount "$scratch/full" 2>/dev/null; rm -rf "$scratch"' EXIT
if mount -t tmpfs -o size=64k tmpfs full 2>/dev/null; then
    dd if=/dev/zero of=full/fill bs=1k 2>/dev/null
    try full env
    umount full
else
    echo "# no file system can be mounted here: the part on a full one is left out"
fi
plan
