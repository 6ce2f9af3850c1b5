# Every image format through the program: list, inspect, pictures, export, a dataset of all of them.
. "$(dirname "$0")/../support/tap.sh"
. "$source/tests/support/scans.sh"
images=$source/tests/golden/images

exits 0 "list formats" "$voxmind" list formats
for format in nifti nrrd meta; do
    says stdout "$format is listed" "$format"
    says "$source/docs/formats.md" "docs/formats.md describes it" "\`$format\`"
done

for file in sitk.nrrd sitk.nhdr sitk.mha sitk_z.mhd sitk.hdr nib2.nii.gz; do
    exits 0 "inspect $file" "$voxmind" inspect --json "$images/$file"
    says stdout "its spacing" '"spacing":[2.0,0.75,0.5]'
    says stdout "its orientation" '"orientation":"PRS"'
    says stdout "its origin" '"origin":[-10.0,20.0,30.0]'
    says stdout "its intensities" '"min":-3.0'
    says stdout "it can be trained on" '"unusable":null'
done
exits 0 "a header and its voxels" "$voxmind" inspect "$images/sitk.mhd"
says stdout "where they are" "$images/sitk.raw"
exits 0 "channels" "$voxmind" inspect --json --header "$images/sitk_channels.nrrd"
says stdout "are told" '"shape":[2,3,4,5]'
says stdout "and refused for training" 'has 2 volumes'

# what is broken names file, found and wanted
cp "$images/sitk.mhd" lone.mhd
exits 1 "a header without its voxels" "$voxmind" inspect lone.mhd
complains "names both" lone.mhd sitk.raw
head -c 330 "$images/sitk.mha" >cut.mha
exits 1 "a cut stream" "$voxmind" inspect cut.mha
complains "is named" cut.mha "120"
sed 's/^sizes: .*/sizes: 100000 100000 100000/' "$images/sitk_raw.nrrd" >huge.nrrd
exits 1 "a lying header" "$voxmind" inspect huge.nrrd
complains "is named" huge.nrrd "2000000000000000 bytes"
sed 's/^ElementSpacing.*/ElementSpacing = 1 0 1/' "$images/sitk_raw.mha" >flat.mha
exits 1 "a spacing of 0" "$voxmind" inspect flat.mha
complains "is named" flat.mha "1 x 0 x 1"
sed 's/^space directions.*/space directions: (1,0,0) (1,1,0) (0,0,1)/' "$images/sitk_raw.nrrd" >sheared.nrrd
exits 0 "axes not at right angles are accepted" "$voxmind" inspect sheared.nrrd
passes "with one warning" [ "$(grep -c 'not at right angles' stderr)" = 1 ]
says stdout "and told" "true"

# pictures
exits 0 "a picture" "$voxmind" inspect "$images/sitk.nrrd" --png a.png
passes "it is a PNG" [ "$(head -c 4 a.png | tail -c 3)" = PNG ]
exits 0 "of channels" "$voxmind" inspect "$images/sitk_channels.mha" --png b.png --json
exits 2 "of two files" "$voxmind" inspect "$images/sitk.nrrd" "$images/sitk.mha" --png c.png
exits 2 "of a header" "$voxmind" inspect "$images/sitk.nrrd" --png c.png --header
exits 1 "of what is no image" "$voxmind" inspect "$source/fuzz/corpus/plans/plans.json" --png c.png
passes "nothing is written" test ! -e c.png
exits 1 "into a folder that is not there" "$voxmind" inspect "$images/sitk.nrrd" --png none/c.png

# export of images
exits 0 "export an image" "$voxmind" export "$images/sitk_z.mhd" -o out.nii.gz
exits 0 "it is the same" "$voxmind" inspect --json out.nii.gz
says stdout "in spacing" '"spacing":[2.0,0.75,0.5]'
says stdout "in place" '"origin":[-10.0,20.0,30.0]'
says stdout "in orientation" '"orientation":"PRS"'
says stdout "in values" '"min":-3.0'
exits 2 "export without -o" "$voxmind" export "$images/sitk.mha"
cp "$images/nib_be.nii" own.nii
ln -s own.nii link.nii
exits 2 "export over the image itself" "$voxmind" export own.nii -o link.nii
complains "is refused" link.nii "is the image itself"
passes "and nothing was written" cmp own.nii "$images/nib_be.nii"
exits 1 "export to another format" "$voxmind" export "$images/sitk.mha" -o out.mha
complains "names those that can be written" out.mha .nii.gz
exits 1 "export of a checkpoint" "$voxmind" export "$source/tests/golden/tensor_files/peer.pth" -o out.nii
complains "says that it cannot yet" "peer.pth"

# a lack of memory names the file, too
within() { bash -c 'ulimit -v "$0" && exec "$@"' "$@"; }
if within 400000 "$voxmind" --version >/dev/null 2>&1; then
    scan large.nii 4000 400 400
    truncate -s 2560000352 large.nii
    for command in inspect "export -o out.nii"; do
        exits 1 "$command without memory" within 400000 "$voxmind" $command large.nii
        complains "names the file" large.nii memory
    done
fi

# a small header that names more than the memory
truncate -s 1T huge.raw
printf 'ObjectType = Image\nNDims = 3\nDimSize = 4 4 3\nElementType = MET_UCHAR\nElementDataFile = LIST\nhuge.raw\nhuge.raw\nhuge.raw\n' >many.mhd
exits 1 "a list of huge files" "$voxmind" inspect many.mhd
complains "names the header and the memory" many.mhd "3072.0 GiB" memory

# a folder of all formats: index to preprocessed, and back over the scans
export nnssl_raw=$scratch/raw nnssl_preprocessed=$scratch/pp nnssl_results=$scratch/res
mkdir -p raw/Dataset021_Formats scans
scan wave.nii
mv wave.nii scans/one.nii
tail -c +353 scans/one.nii >scans/two.raw
cat >scans/two.mhd <<'H'
ObjectType = Image
NDims = 3
DimSize = 40 36 32
ElementSpacing = 1.5 1.2 1
Offset = 10 20 30
ElementType = MET_FLOAT
ElementDataFile = two.raw
H
{
    printf 'NRRD0004\ntype: float\ndimension: 3\nsizes: 40 36 32\nendian: little\nencoding: gzip\n'
    printf 'space: LPS\nspace directions: (0,2,0) (1.5,0,0) (0,0,1)\nspace origin: (1,2,3)\n\n'
    gzip -c scans/two.raw
} >scans/three.nrrd
exits 0 "index takes them" "$voxmind" index scans -o raw/Dataset021_Formats/pretrain_data.json
exits 0 "plan and preprocess" "$voxmind" plan-and-preprocess -d 21
says stdout "all three are made" "3 images made"
for name in one two three; do
    case=$(find pp -name "$name*.b2nd")
    exits 0 "inspect $name" "$voxmind" inspect --json "$case"
    for key in transpose crop spacing_read orientation mean_read; do
        says stdout "it says $key" "\"$key\":"
    done
    exits 0 "a picture of $name" "$voxmind" inspect "$case" --png "$name.png"
    exits 0 "export $name" "$voxmind" export --json "$case" -o "$name.nii.gz"
done
# 40 voxels of 1.5 mm became 60 of 1 mm: the first centre moved by (0.5 * 40 / 60 - 0.5) * 1.5 mm
says stdout "the spacing of three" '"spacing":[1.0,'
"$voxmind" export --json "$(find pp -name 'two*.b2nd')" -o two.nii >two.json
says two.json "two begins a fourth of a voxel to the right" '"origin":[-9.75,'
cp "$(find pp -name 'one.b2nd')" alone.b2nd
exits 1 "a case without its side files" "$voxmind" export alone.b2nd -o alone.nii
complains "is named" alone.b2nd .json .pkl
plan
