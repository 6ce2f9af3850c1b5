# preprocess: what is told before and after, parts, codecs, memory, and a disk that fills in the
# middle: one error, nothing half written, a second run completes.
. "$(dirname "$0")/../support/tap.sh"
. "$source/tests/support/scans.sh"
export nnssl_raw=$scratch/raw nnssl_preprocessed=$scratch/pp nnssl_results=$scratch/res
mkdir -p scans raw/Dataset003_P
for i in 1 2 3 4 5; do
    scan scans/scan$i.nii $((14 + i)) 15 16
done
scan scans/scan9.nii 70 60 50 # the last by name, and far larger
scan scans/thin.nii 30 2 1
"$voxmind" index scans -o raw/Dataset003_P/pretrain_data.json >/dev/null
"$voxmind" fingerprint -d 3 >/dev/null
"$voxmind" plan -d 3 >/dev/null

files() { # of a kind, below the root of preprocessed data
    find "$nnssl_preprocessed" -name "*.$1" | wc -l
}

# Told before.
exits 0 "--dry-run" "$voxmind" preprocess -d 3 --dry-run -np 2
says stdout "tells shapes" "50 x   60 x   70  ->    90 x   50 x   70"
says stdout "and sums" "7 images, about"
says stdout "for this many at a time" "with 2 at a time"
passes "and writes nothing" [ "$(files b2nd)" = 0 ]
exits 0 "--dry-run --json" "$voxmind" preprocess -d 3 --dry-run --json
passes "is a line per image and one of sums" [ "$(grep -c '^{' stdout)" = 8 ]
says stdout "with numbers" '"shape":[90,50,70]'

# Parts.
exits 0 "part 0 of 2" "$voxmind" preprocess -d 3 -part 0 -total_parts 2
passes "leaves a list of its own" test -e pp/Dataset003_P/valid_imgs__onemmiso__0_of_2.json
passes "and no joined one" test ! -e pp/Dataset003_P/valid_imgs.json
exits 0 "part 1, spelled as 1/2" "$voxmind" preprocess -d 3 --part 1/2
passes "joins the lists" [ "$(grep -c image_name pp/Dataset003_P/valid_imgs__onemmiso.json)" = 7 ]
passes "of which none is left" [ -z "$(find pp -name '*_of_2.json')" ]
passes "small and thin volumes are stored, too" [ "$(files b2nd)" = 7 ]
exits 0 "another configuration" "$voxmind" preprocess -d 3 -c noresample -q
passes "has a list of its own" test -e pp/Dataset003_P/valid_imgs__noresample.json
for part in 2/2 -1/2 1/x x 3; do
    exits 2 "there is no part $part" "$voxmind" preprocess -d 3 -part $part
done
exits 2 "two numbers of parts" "$voxmind" preprocess -d 3 --part 1/2 -total_parts 3

# Kept, and made anew where an option changes the files.
exits 0 "a second run" "$voxmind" preprocess -d 3 --json
says stdout "keeps all" '"made":0,"kept":7'
exits 0 "the codec's own level by number" "$voxmind" preprocess -d 3 --level 1 --json
says stdout "is the same" '"made":0,"kept":7'
exits 0 "another codec" "$voxmind" preprocess -d 3 --codec lz4 --json
says stdout "makes all anew" '"made":7,"kept":0'
exits 0 "inspect" "$voxmind" inspect "$(find pp -name scan9.b2nd | head -1)"
says stdout "knows the codec" lz4
exits 2 "a codec there is not" "$voxmind" preprocess -d 3 --codec gzip
complains "names those there are" gzip "zstd or lz4"

# Memory.
exits 0 "a small budget" "$voxmind" preprocess -d 3 --memory 300M -np 4 --again --json
says stdout "is enough" '"made":7'
exits 1 "less than the program has itself" "$voxmind" preprocess -d 3 --memory 1M
complains "says so" "1 MiB"
exits 2 "no amount" "$voxmind" preprocess -d 3 --memory lots
complains "shows how to write one" lots 16G

# What would cure it.
cat >>scans/broken.nii <<<"not a scan"
scan scans/zgap.nii 20 20 20 nan
"$voxmind" index scans -o raw/Dataset003_P/pretrain_data.json >/dev/null
exits 0 "some are refused" "$voxmind" preprocess -d 3
says stdout "with a cure: an option" "cure: preprocess --nan-as-zero"
says stdout "with a cure: the source" "cure: copy or export it again"
passes "the report has them, too" [ "$(grep -c '"cure"' pp/Dataset003_P/nnsslPlans_onemmiso/reject_report.json)" = 2 ]
exits 0 "NaN as zero" "$voxmind" preprocess -d 3 --nan-as-zero --json
says stdout "makes that one alone" '"made":1,"kept":7'
exits 0 "and without" "$voxmind" preprocess -d 3 --json
says stdout "it is refused again" '"made":0,"kept":7'
rm scans/broken.nii scans/zgap.nii

# Voxels of 40 mm in the header of a small file: 800^3 voxels, 4 GiB.
scan scans/coarse.nii 20 20 20
printf '\0\0\040\102%.0s' 1 2 3 | dd of=scans/coarse.nii bs=1 seek=80 conv=notrunc 2>/dev/null
"$voxmind" index scans -o raw/Dataset003_P/pretrain_data.json >/dev/null
exits 0 "an image that would take more memory than there may be" \
    "$voxmind" preprocess -d 3 --memory 300M
says stdout "is left out" "800 x 800 x 800 voxels take"
says stdout "with a cure: memory" "raise --memory"
rm scans/coarse.nii
"$voxmind" index scans -o raw/Dataset003_P/pretrain_data.json >/dev/null

# A disk that fills in the middle: the small images fit, the large one does not.
export nnssl_preprocessed=$scratch/whole
"$voxmind" plan-and-preprocess -d 3 -q >/dev/null

# fills <title> <prefix...>: with room for some of the files
fills() {
    local title=$1
    shift
    "$voxmind" plan-and-preprocess -d 3 --no-pp -q >/dev/null
    exits 1 "$title" "$@" "$voxmind" preprocess -d 3 -np 1
    complains "is one message that names the file" scan9.b2nd
    passes "what was made before stays" [ "$(files pkl)" = 5 ]
    clean "$nnssl_preprocessed" "nothing is left half written"
    passes "not even a part of the image" [ -z "$(find "$nnssl_preprocessed" -type f -name "scan9*")" ]
}
finishes() {
    exits 0 "a second run, with room" "$voxmind" preprocess -d 3 --json
    says stdout "makes what is missing" '"made":2,"kept":5'
    passes "and is as if nothing had been" diff -r "$scratch/whole/Dataset003_P" \
        "$nnssl_preprocessed/Dataset003_P"
}
export nnssl_preprocessed=$scratch/limit
cat >limited <<'SH'
#!/usr/bin/env bash
ulimit -f 128
exec "$@"
SH
chmod +x limited
fills "files at their limit" ./limited
finishes

mkdir full
trap 'umount "$scratch/full" 2>/dev/null; rm -rf "$scratch"' EXIT
if mount -t tmpfs -o size=512k tmpfs full 2>/dev/null; then
    export nnssl_preprocessed=$scratch/full
    fills "a full disk" env
    mount -o remount,size=64m full
    finishes
    umount full
else
    echo "# no file system can be mounted here: the part on a full one is left out"
fi
plan
