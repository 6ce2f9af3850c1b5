# Scans that are broken: one message each with file, found and wanted; among good ones they are
# reported and left out.
. "$(dirname "$0")/../support/tap.sh"
. "$source/tests/support/scans.sh"
export nnssl_raw=$scratch/raw nnssl_preprocessed=$scratch/pp nnssl_results=$scratch/res
mkdir -p raw/Dataset007_Mixed raw/Dataset008_Broken
bad_scans bad

# fault <file> <text>...: inspect names the file, and says found and wanted
fault() {
    local file=$1
    shift
    exits 1 "inspect refuses $file" "$voxmind" inspect "bad/$file"
    complains "in one message" "$file" "$@"
}
fault truncated.nii "184672 bytes" 5000
fault truncated_gz.nii.gz "cut off" 184672
fault no_gzip.nii.gz "begins with 74 68 69 73" "1f 8b"
fault magic.nii "58 59 5a 00" '"n+1"'
fault huge.nii "131072000000352 bytes" "32000x32000x32000"
fault empty.nii.gz "empty"
exits 0 "inspect shows a scan with NaN" "$voxmind" inspect bad/nan.nii
says stdout "and says why it is of no use" "1 voxels are NaN or infinite"
exits 1 "a scan that is not there" "$voxmind" inspect bad/none.nii
complains "in one message" "bad/none.nii" "no such file"

# One bad scan among many is reported and left out.
mkdir mixed
cp bad/* mixed
scan mixed/good1.nii
scan mixed/good2.nii 36 40 38
exits 0 "index takes the folder" "$voxmind" index mixed -v -o raw/Dataset007_Mixed/pretrain_data.json
says stdout "and passes over the empty file" "empty.nii.gz: an empty file"
exits 0 "fingerprint" "$voxmind" fingerprint -d 7
says stdout "refuses what has no header" "magic.nii"
exits 0 "plan" "$voxmind" plan -d 7
exits 0 "preprocess leaves the broken ones out" "$voxmind" preprocess -d 7
for file in truncated.nii truncated_gz.nii.gz no_gzip.nii.gz magic.nii huge.nii nan.nii constant.nii; do
    says stdout "$file is in the table" "$file: "
done
says stdout "found and wanted of a constant image" "values 7 to 7, wanted"
says stdout "found and wanted of NaN" "1 voxels are NaN or infinite, wanted numbers"
says stdout "how many were made" "3 images made"
clean pp "nothing is left half written"
exits 0 "NaN as zero, when asked" "$voxmind" preprocess -d 7 --nan-as-zero --json
says stdout "adds that one" '"made":1,"kept":3'
passes "refused images have no files" [ "$(find pp -name '*.b2nd' | wc -l)" = 4 ]

# When all are bad, it is a failure.
rm bad/nan.nii bad/spacing.nii bad/constant.nii
exits 0 "index takes what has no voxels" "$voxmind" index bad -o raw/Dataset008_Broken/pretrain_data.json
exits 0 "headers alone are good enough for some" "$voxmind" plan-and-preprocess -d 8 --no-pp
exits 1 "preprocess fails when all are bad" "$voxmind" preprocess -d 8
complains "and says so" "none of 5 images" "the first"
says stdout "with the table" "truncated.nii"
rm bad/truncated*.nii* bad/huge.nii
exits 0 "index takes what has no header" "$voxmind" index bad -o raw/Dataset008_Broken/pretrain_data.json
exits 1 "fingerprint fails when all are bad" "$voxmind" fingerprint -d 8 --clean
complains "and says so" "none of 2 images"

# Folders without scans.
mkdir -p none/below && echo text >none/below/readme.txt
exits 1 "index of a folder without images" "$voxmind" index none -o none.json
complains "in one message" "none" "no image"
passes "and nothing is written" test ! -e none.json
exits 1 "index of a folder that is not there" "$voxmind" index nowhere -o none.json
complains "in one message" "nowhere"
exits 1 "pretrain of a folder without images" "$voxmind" pretrain none --out run --net resenc_xs --patch 16 --set mae.block=4
complains "in one message" "none" "no image"
exits 1 "pretrain of broken scans alone" "$voxmind" pretrain bad --out run --net resenc_xs --patch 16 --set mae.block=4 -q
says stderr "it names the first" "magic.nii"
clean run "nothing is left half written"

# Datasets.
exits 1 "a dataset number that does not exist" "$voxmind" fingerprint -d 99
complains "in one message, with the roots" "number 99" "nnssl_raw=$scratch/raw"
exits 1 "a dataset name that does not exist" "$voxmind" preprocess -d Dataset099_None
complains "in one message, with the path" "raw/Dataset099_None/pretrain_data.json"
exits 1 "pretrain of a dataset that does not exist" "$voxmind" pretrain 99
complains "in one message" "99"
exits 2 "what is no dataset" "$voxmind" plan -d seven
complains "in one message" '"seven"' "DatasetXXX_Name"
exits 1 "no fingerprint yet" "$voxmind" plan -d Dataset006_New
complains "names the command that makes it" "dataset_fingerprint.json" "voxmind fingerprint"
exits 1 "no root" env -u nnssl_raw "$voxmind" fingerprint -d Dataset007_Mixed
complains "names the variable" "nnssl_raw" "not set"
plan
