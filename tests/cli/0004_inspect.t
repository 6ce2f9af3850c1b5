# voxmind inspect: every kind of file, as text and as JSON; bad files among good ones.
. "$(dirname "$0")/../support/tap.sh"
. "$source/tests/support/scans.sh"
golden=$source/tests/golden

exits 0 "a checkpoint of the peer" "$voxmind" inspect "$golden/tensor_files/peer.pth"
says stdout "tensors with their other names" "all_modules.0.weight = conv.weight"
says stdout "who trained it" "BaseMAETrainer"
exits 0 "as JSON" "$voxmind" inspect --json "$golden/tensor_files/peer.pth"
says stdout "file and format" '{"file":"'"$golden"'/tensor_files/peer.pth","format":"pth","tensors":['
says stdout "a tensor" '{"name":"conv.weight","dtype":"f32","shape":[2,1,3,3,3]}'
says stdout "an alias" '{"name":"all_modules.0.bias","dtype":"f32","shape":[2],"alias_of":"conv.bias"}'
says stdout "the plan" '"plan":{'
says stdout "where training stands" '"training":{"epoch":2,"step":null,"trainer":"BaseMAETrainer"}'

exits 0 "safetensors" "$voxmind" inspect --json "$golden/tensor_files/plain.safetensors"
says stdout "its format" '"format":"safetensors"'
exits 0 ".npy" "$voxmind" inspect "$golden/tensor_files/f32.npy"
says stdout "its shape" "2 x 3"

exits 0 ".b2nd" "$voxmind" inspect --json "$golden/store/image.b2nd"
for key in shape chunk block dtype codec intensity; do
    says stdout ".b2nd says $key" "\"$key\":"
done

cp "$source/fuzz/corpus/nifti/i16_le" scan.nii
exits 0 "an image" "$voxmind" inspect --json scan.nii
for key in format dtype shape spacing orientation unusable intensity; do
    says stdout "an image says $key" "\"$key\":"
done
exits 0 "its header alone" "$voxmind" inspect scan.nii --header
says stdout "is told" "orientation"
lacks stdout "without intensities" "intensity"

# 0 ... 46079 in order, so that every statistic is known.
scan ramp.nii 40 36 32 ramp
exits 0 "a ramp" "$voxmind" inspect --json ramp.nii
says stdout "its distribution" '"intensity":{"nonfinite":0,"min":0.0,"p0.5":230.0,"median":23040.0,"p99.5":45849.0,"max":46079.0,"mean":23039.5,"std":13302.15'
scan flat.nii 8 8 8 constant
exits 0 "a constant image" "$voxmind" inspect --json flat.nii
says stdout "its distribution" '"min":7.0,"p0.5":7.0,"median":7.0,"p99.5":7.0,"max":7.0,"mean":7.0,"std":0.0,"share_of_zero":0.0'

exits 0 "a fingerprint" "$voxmind" inspect "$source/fuzz/corpus/plans/fingerprint.json"
says stdout "how many images" "images"
exits 0 "plans" "$voxmind" inspect --json "$source/fuzz/corpus/plans/plans.json"
says stdout "their configurations" '"configurations":["'
exits 0 "a collection" "$voxmind" inspect --json "$source/fuzz/corpus/collection/demo.json"
says stdout "what it is" '"format":"pretrain_data"'

head -c 300 "$golden/tensor_files/peer.pth" >cut.pth
exits 1 "a bad file among good ones" "$voxmind" inspect --json cut.pth missing.nii "$golden/store/image.b2nd"
says stderr "the cut one is named" "cut.pth"
says stderr "the missing one is named" "missing.nii: no such file"
says stdout "the good one is told" '"format":"b2nd"'
exits 1 "a folder" "$voxmind" inspect .
says stderr "is named as one" "is a folder"
exits 2 "nothing to inspect" "$voxmind" inspect
plan
