# Ways in: BIDS trees, folders by pattern, csv tables, DICOM through dcm2niix, joining; what is
# passed over is said, and why.
. "$(dirname "$0")/../support/tap.sh"
. "$source/tests/support/scans.sh"
unset nnssl_raw nnssl_preprocessed

# value <file> <path of keys>...: the value at a place of a JSON file, as text
value() {
    perl -MJSON::PP -e '
        my ($file, @keys) = @ARGV;
        open(my $f, "<", $file) or die;
        my $v = JSON::PP->new->canonical->allow_nonref->decode(join "", <$f>);
        $v = ref $v eq "ARRAY" ? $v->[$_] : $v->{$_} for @keys;
        print defined $v ? ref $v ? JSON::PP->new->canonical->encode($v) : $v : "null", "\n";
    ' "$@"
}

# holds <title> <wanted> <file> <keys>...
holds() {
    local title=$1 want=$2 got
    shift 2
    got=$(value "$@" 2>&1)
    [ "$got" = "$want" ]
    verdict $? "$title" "wanted $want, found $got"
}

# ---- BIDS ----
b=$scratch/bids
mkdir -p $b/sub-01/ses-a/anat $b/sub-01/ses-b/anat $b/sub-02/anat $b/derivatives/bet/sub-02/anat $b/sourcedata
scan s.nii 8 8 8
scan other.nii 9 8 8
cp s.nii $b/sub-01/ses-a/anat/sub-01_ses-a_T1w.nii
cp s.nii $b/sub-01/ses-a/anat/sub-01_ses-a_T2w.nii
cp s.nii $b/sub-01/ses-b/anat/sub-01_ses-b_acq-hi_T1w.nii
cp s.nii $b/sub-02/anat/sub-02_T1w.nii
cp s.nii $b/sub-01/ses-a/anat/sub-01_ses-a_desc-brain_mask.nii
cp s.nii $b/sub-01/ses-b/anat/sub-01_ses-b_mod-T1w_defacemask.nii
cp other.nii $b/sub-02/anat/sub-02_desc-brain_mask.nii # of another grid
cp s.nii $b/sub-02/anat/sub-02_T1w__anon.nii
cp s.nii $b/derivatives/bet/sub-02/anat/sub-02_desc-preproc_T1w.nii
printf 'participant_id\tage\tsex\tsite\nsub-01\t26\tM\tn/a\n02\t31.5\tF\tA "x"\n' >$b/participants.tsv
printf 'session_id\tdays\nses-a\t0\nb\t30\n' >$b/sub-01/sub-01_sessions.tsv
echo '{"RepetitionTime": 2.0, "Manufacturer": "Siemens", "SliceTiming": [1, 2]}' >$b/T1w.json
echo '{"RepetitionTime": 2.5, "PatientName": "X"}' >$b/sub-01/ses-a/anat/sub-01_ses-a_T1w.json
echo '{"EchoTime": 0.003}' >$b/sub-01/sub-01_T1w.json
echo '{"FlipAngle": 8}' >$b/sub-01/sub-01_acq-hi_T1w.json
echo '{bad' >$b/sub-02/anat/sub-02_T1w.json
echo '{"Name": "x"}' >$b/dataset_description.json
exits 0 "index takes a BIDS tree" "$voxmind" index bids -v -o b.json
says stdout "what was found" "sessions             3"
says stdout "a broken side-car is named" "sub-02_T1w.json: a side-car that cannot be read: not JSON at byte 1"
says stdout "a mask of another grid is left" "sub-02_desc-brain_mask.nii: a mask or label map"
says stdout "derivatives are left" "bids/derivatives: not the raw data of a BIDS tree"
says stdout "counts per reason" "2 skipped: not the raw data of a BIDS tree"
s1=(b.json datasets bids subjects sub-01)
a=("${s1[@]}" sessions ses-a)
holds "the nearest side-car wins, lists and names stay away" \
    '{"EchoTime":0.003,"Manufacturer":"Siemens","RepetitionTime":2.5}' "${a[@]}" images 0 image_info
holds "a side-car of another suffix is not inherited" null "${a[@]}" images 1 image_info
holds "entities choose the side-car" \
    '{"EchoTime":0.003,"FlipAngle":8,"Manufacturer":"Siemens","RepetitionTime":2}' \
    "${s1[@]}" sessions ses-b images 0 image_info
holds "participants.tsv" '{"age":26,"sex":"M"}' "${s1[@]}" subject_info
holds "an id without sub-, a quote in a tsv" '{"age":31.5,"sex":"F","site":"A \"x\""}' \
    b.json datasets bids subjects sub-02 subject_info
holds "sessions.tsv" '{"days":30}' "${s1[@]}" sessions ses-b session_info
holds "modality" T2w "${a[@]}" images 1 modality
holds "a brain mask of the session is the anatomy mask" \
    "{\"anatomy_mask\":\"$b/sub-01/ses-a/anat/sub-01_ses-a_desc-brain_mask.nii\",\"anonymization_mask\":null}" \
    "${a[@]}" images 1 associated_masks
holds "a defacing mask the anonymization mask" \
    "{\"anatomy_mask\":null,\"anonymization_mask\":\"$b/sub-01/ses-b/anat/sub-01_ses-b_mod-T1w_defacemask.nii\"}" \
    "${s1[@]}" sessions ses-b images 0 associated_masks
holds "so is __anon" "$b/sub-02/anat/sub-02_T1w__anon.nii" \
    b.json datasets bids subjects sub-02 sessions ses-DEFAULT images 0 associated_masks anonymization_mask
mkdir -p f && cp s.nii f/sub-01_T1w.nii && cp s.nii f/sub-02_T1w.nii && cp s.nii f/sub-02_acq-x_T1w.nii
echo '{"A": 0, "B": 0}' >f/T1w.json
echo '{"B": 1}' >f/sub-01_T1w.json
echo '{"B": 2}' >f/sub-02_T1w.json
echo '{"C": 3}' >f/acq-x_T1w.json
exits 0 "all of a BIDS set in one folder" "$voxmind" index f -o f.json
f=(f.json datasets f subjects)
holds "each has its subject's side-car" '{"A":0,"B":1}' "${f[@]}" sub-01 sessions ses-DEFAULT images 0 image_info
holds "and those of no subject" '{"A":0,"B":2,"C":3}' "${f[@]}" sub-02 sessions ses-DEFAULT images 1 image_info
exits 0 "derivatives, when asked" "$voxmind" index bids --derivatives -o d.json
says stdout "one more image of the same subjects" "5 new images"
says stdout "and no more subjects" "subjects             2"
cp s.nii bids/loose.nii
exits 0 "--bids" "$voxmind" index bids --bids -v -o d.json
says stdout "takes BIDS names only" "loose.nii: no BIDS name"

# ---- folders ----
mkdir -p n/p_1/v1 n/p_2/v1 n/p_2/v2/x__Data
for f in p_1/v1/a_T1 p_1/v1/a_T2 p_1/v1/a_T1_brain_mask p_1/v1/a_T1_deface_mask p_1/v1/a_seg p_2/v1/b_T1 \
    p_2/v2/x p_2/v2/x__Data/deface_mask p_2/v2/x__Data/fb_mask p_2/v2/x__Data/FA; do
    cp s.nii n/$f.nii
done
: >n/p_1/$'bad\xff.nii'
: >n/p_1/$'ctl\n.nii'
ln -s .. n/p_1/loop
ln -s self n/p_1/self
mkfifo n/p_1/pipe.nii
exits 0 "index takes nested folders" "$voxmind" index n -v -o n.json
says stdout "a name that is not UTF-8" 'bad\xff.nii: its name is not UTF-8'
says stdout "a name with a control character" 'ctl\x0a.nii: its name holds a control character'
says stdout "a loop of links" "loop: a folder that was visited already"
says stdout "a link to itself" "self: a link to nothing"
says stdout "a pipe" "pipe.nii: not a file"
says stdout "a label map" "a_seg.nii: a mask or label map"
says stdout "all masks found" "anonymization_masks  3"
p2=(n.json datasets n subjects p_2 sessions v2 images)
holds "subject and session are folders" x.nii "${p2[@]}" 0 name
holds "OpenMind's folders: the scan's masks" \
    "{\"anatomy_mask\":\"$scratch/n/p_2/v2/x__Data/fb_mask.nii\",\"anonymization_mask\":\"$scratch/n/p_2/v2/x__Data/deface_mask.nii\"}" \
    "${p2[@]}" 0 associated_masks
holds "the derived image's name" x_FA.nii "${p2[@]}" 1 name
holds "and masks" "$scratch/n/p_2/v2/x__Data/deface_mask.nii" "${p2[@]}" 1 associated_masks anonymization_mask
holds "masks by their words, the right way round" \
    "{\"anatomy_mask\":\"$scratch/n/p_1/v1/a_T1_brain_mask.nii\",\"anonymization_mask\":\"$scratch/n/p_1/v1/a_T1_deface_mask.nii\"}" \
    n.json datasets n subjects p_1 sessions v1 images 0 associated_masks
exits 0 "a pattern" "$voxmind" index n -v -o m.json --pattern 'p_{subject}/{session}/{reader}_{modality}.nii'
says stdout "what it does not match" "x.nii: its path does not match the pattern"
holds "says subject, session, modality" T2 m.json datasets n subjects 1 sessions v1 images 1 modality
holds "and more, into the info" '{"reader":"a"}' m.json datasets n subjects 1 sessions v1 images 1 image_info
exits 2 "a pattern that does not end" "$voxmind" index n -o m.json --pattern '{subject}/{x'
complains "in one message" '"{x"'
exits 2 "a pattern without a subject" "$voxmind" index n -o m.json --pattern '{session}.nii'
complains "in one message" "{subject}"
exits 1 "a pattern that matches nothing" "$voxmind" index n -o none.json --pattern '{subject}/{session}/c_*.nii'
complains "in one message" "none matches the pattern"
passes "and nothing is written" test ! -e none.json

# ---- csv ----
printf '\xef\xbb\xbfpath;subject;session;modality;anat_mask;scanner;"note; x"\r\nn/p_1/v1/a_T1.nii;"P;1";;T1w;s.nii;3.0;"say ""hi"""\r\nn/p_1/v1/a_T2.nii;P2;b;;none.nii;;\r\nnope.nii;P3;;;;;\r\n\r\nn/p_1/v1/a_T2.nii;P2;b;;;;\r\nn/p_2/v1/b_T1.nii;a/b;;;;;\r\n' >t.csv
exits 0 "a csv with BOM, CRLF, quotes and semicolons" "$voxmind" index t.csv -v -o t.json
says stdout "a mask that is not there" "none.nii: a mask that is not there: row 3 of t.csv"
says stdout "an image that is not there" "nope.nii: no such file: row 4"
says stdout "a row twice" "listed twice: row 5"
says stdout "a subject that is no name" "cannot be a file name: row 6"
t=(t.json datasets t subjects 'P;1' sessions ses-DEFAULT images 0)
holds "its columns" "$scratch/n/p_1/v1/a_T1.nii" "${t[@]}" image_path
holds "its mask" "$scratch/s.nii" "${t[@]}" associated_masks anatomy_mask
holds "other columns" '{"note; x":"say \"hi\"","scanner":3}' "${t[@]}" image_info
bad_csv() { # <title> <text in the message> <content>
    printf "$3" >bad.csv
    exits 1 "a csv: $1" "$voxmind" index --csv bad.csv -o none.json
    complains "in one message" bad.csv "$2"
}
bad_csv "a row too long" "row 2 has 3 cells, its header 2" 'path,x\na.nii,1,2\n'
bad_csv "a quote that does not end" "the quote in row 2 does not end" 'path,x\n"a.nii,1\n'
bad_csv "Latin-1" "the byte e9" 'path,caf\xe9\n'
bad_csv "UTF-16" "is UTF-16" '\xff\xfep'
bad_csv "no path" 'no column "path"' 'file,x\n'
bad_csv "a column twice" '"x" stands twice' 'path,x,x\n'
bad_csv "nothing" "is empty" ''
printf 'path\n' >TABLE.CSV
exits 1 "a file that is no folder" "$voxmind" index TABLE.CSV -o none.json
complains "in one message" "TABLE.CSV: is a file, wanted a folder, or with --csv a table"
bad_csv "no image" "none is an image" 'path\nnope.nii\n'

printf "path\n$scratch/n/p_1/v1/a_T1.nii\n$scratch/n/p_2/v1/b_T1.nii\n" >bare.csv
exits 0 "a csv of absolute paths alone" "$voxmind" index bare.csv -o t.json
holds "the folders that differ are the subjects" v1 t.json datasets bare subjects p_1 sessions v1 session_id
printf 'path\n$scans/p_1/v1/a_T1.nii\n$scans/p_2/v1/b_T1.nii\n' >bare.csv
exits 0 "also below a variable" env scans="$scratch/n" "$voxmind" index bare.csv -o t.json
holds "which is no subject" v1 t.json datasets bare subjects p_2 sessions v1 session_id

# ---- joining ----
exits 0 "scans that are described already" "$voxmind" index n -o t.json --add n.json
says stdout "are not new" "0 new images, 5 in all"
says stdout "their subjects are the same" "2 subjects are in several sources: joined"
mkdir -p m1/p1/v1 m2/p1/v1 m2/p2/v1 && cp s.nii m1/p1/v1/a.nii && cp s.nii m2/p1/v1/a.nii && cp s.nii m2/p2/v1/a.nii
cp s.nii m2/p1/v1/a.nii.gz
printf 'path,subject,dataset\nm1/p1/v1/a.nii,p1,x\n' >m1.csv
printf 'path,subject,dataset\nm2/p1/v1/a.nii,p1,x\nm2/p1/v1/a.nii.gz,p1,x\n' >m2.csv
exits 0 "two sources with one subject and one name" "$voxmind" index m1.csv m2.csv -o t.json
says stdout "are one subject" "1 subjects are in several sources: joined"
says stdout "the names are told apart" "2 images have a new name"
says stderr "within a source, too" "m2/p1/v1/a.nii.gz: session ses-DEFAULT of p1 has an image a.nii.gz already, this one is a_2.nii.gz"
holds "none is lost" a_2_2.nii.gz t.json datasets x subjects p1 sessions ses-DEFAULT images 2 name
exits 0 "a source that was joined before" "$voxmind" index m2.csv --add t.json -o t.json --name Both
says stdout "has no new image" "0 new images, 3 in all"
holds "a name that is given counts" Both t.json collection_name
if [ "$(id -u)" != 0 ]; then
    mkdir m2/closed && chmod 000 m2/closed
    exits 0 "a folder that may not be read" "$voxmind" index m2 -v -o t.json
    says stdout "is passed over" "closed: cannot read the folder: Permission denied"
    chmod 700 m2/closed
fi
exits 0 "collections alone" "$voxmind" index --add n.json --add b.json -o j.json --json
says stdout "are joined" '"images":9'
exits 2 "index of nothing" "$voxmind" index -o j.json
complains "in one message" "two --add"
exits 2 "two kinds at once" "$voxmind" index --bids --csv n -o j.json
complains "in one message" "exclude each other"
mkdir -p raw/pool && cp s.nii raw/pool/a.nii
exits 0 "paths below nnssl_raw" env nnssl_raw="$scratch/raw" "$voxmind" index raw/pool --relative -o r.json
holds "may be written with its name" '$nnssl_raw/pool/a.nii' r.json datasets pool subjects a sessions ses-DEFAULT images 0 image_path
exits 0 "and are known by it" env nnssl_raw="$scratch/raw" "$voxmind" index raw/pool --relative --add r.json -o r.json
says stdout "when they come again" "0 new images, 1 in all"
mkdir -p masks_only empty $'ctl\nfolder' && cp s.nii masks_only/x_seg.nii && cp s.nii $'ctl\nfolder'
exits 1 "a folder of masks alone" "$voxmind" index masks_only -o none.json
complains "in one message, which is not that it is empty" "x_seg.nii: a mask or label map"
exits 1 "an empty folder behind one with skipped files" "$voxmind" index n empty -o none.json
complains "in one message" "/empty: no images in it, it is empty"
exits 1 "a folder that cannot name a dataset" "$voxmind" index $'ctl\nfolder' -o none.json
complains "in one message" 'ctl\x0afolder' "control character"

# ---- DICOM: a stand-in for the converter, which leaves what the real one would ----
mkdir -p bin d/pat1/study1/ser1 d/pat1/study1/ser2 d/pat2/study1/ser1 flat
cat >bin/dcm2niix <<'C'
#!/bin/bash
echo "$*" >>"$LOG"
while [ $# -gt 1 ]; do
    case $1 in
    -o) out=$2 ;;
    -f) name=$2 ;;
    esac
    shift
done
case $1 in *pat2*) echo "Chris Rorden's dcm2niiX"; echo "Error: no valid images"; exit 2 ;; esac
name=${name//%i/P1}; name=${name//%t/2024}; name=${name//%s/1}; name=${name//%d/t1}
mkdir -p "$(dirname "$out/$name")"
cp "$SCAN" "$out/$name.nii"
echo '{"Modality": "MR", "PatientID": "P1", "EchoTime": 0.1}' >"$out/$name.json"
case $1 in *half*) echo "Error: one series has no slices"; exit 8 ;; *stop*) kill $PPID; exit 1 ;; esac
C
chmod +x bin/dcm2niix
dicom() { # a file with DICOM's mark
    head -c 128 /dev/zero >"$1" && printf 'DICM....' >>"$1"
}
for f in d/pat1/study1/ser1/1.dcm d/pat1/study1/ser1/2.dcm d/pat1/study1/ser2/IM0001 d/pat2/study1/ser1/1.2.840.1 flat/1; do
    dicom $f
done
export SCAN=$scratch/s.nii LOG=$scratch/log
exits 1 "DICOM without dcm2niix" env PATH="$scratch/none" "$voxmind" index d -o x.json
complains "in one message" "dcm2niix was not found" "apt-get install dcm2niix"
PATH=$scratch/bin:$PATH
exits 0 "index takes DICOM folders" "$voxmind" index d -v -o x.json
says stdout "what the converter refused" "d/pat2/study1/ser1: dcm2niix refused it: exit status 2, Error: no valid images"
holds "the others are there" "$scratch/x_nifti$scratch/d/pat1/study1/ser2/dicom/1_t1.nii" \
    x.json datasets d subjects ser2 sessions ses-DEFAULT images 0 image_path
holds "with the side-car, without names" '{"EchoTime":0.1,"Modality":"MR"}' \
    x.json datasets d subjects ser2 sessions ses-DEFAULT images 0 image_info
holds "and its modality" MR x.json datasets d subjects ser2 sessions ses-DEFAULT images 0 modality
passes "one call per folder" [ "$(wc -l <log)" = 3 ]
exits 0 "what is converted is taken again" "$voxmind" index d -o x.json
passes "only the refused one is tried again" [ "$(wc -l <log)" = 4 ]
exits 0 "DICOM files in one folder" "$voxmind" index flat -o f.json
holds "are told apart by patient" "$scratch/f_nifti$scratch/flat/dicom/P1/2024/1_t1.nii" \
    f.json datasets flat subjects 1_t1 sessions ses-DEFAULT images 0 image_path
mkdir -p e/b && dicom e/1.dcm && dicom e/b/2.dcm && dicom e/z.dcm
: >log
exits 0 "DICOM above and below" "$voxmind" index e -o e/x.json
passes "each folder once" [ "$(wc -l <log)" = 2 ]
exits 0 "and again, with the output inside" "$voxmind" index e -o e/x.json
says stdout "what was converted is no scan of its own" "2 in all"
mkdir -p half && dicom half/1
for i in 1 2; do
    exits 0 "DICOM files of which the converter left out some, time $i" "$voxmind" index half -v -o h.json
    says stdout "are told" "half: dcm2niix left out a part of it: Error: one series has no slices"
    says stdout "the others are taken" "1 new images"
done
mkdir -p stop/a stop/b && dicom stop/a/1 && dicom stop/b/1
: >log
exits 143 "a signal while DICOM is converted" \
    "$voxmind" pretrain stop --net resenc_xs --patch 32 --epochs 1 --steps 1 --threads 1 --out stopped
passes "ends it" [ "$(wc -l <log)" = 1 ]
mkdir -p d1/s1 d1/s2 d2/s1 d2/s2
for f in d1/s1/1 d1/s2/1 d2/s1/1 d2/s2/1; do dicom $f; done
exits 0 "two sources with folders of one name" "$voxmind" index d1 d2 -o two.json
holds "do not take each other's place" "$scratch/two_nifti$scratch/d2/s1/dicom/1_t1.nii" \
    two.json datasets d2 subjects s1 sessions ses-DEFAULT images 0 image_path
rm -r d1/s2
exits 0 "DICOM that was taken away" "$voxmind" index d1 -v -o two.json
says stdout "is not taken from what was converted" "1 new images"
says stdout "and it says so" "the DICOM it was made of is gone"
cp s.nii d/scan.nii
exits 0 "DICOM beside other images" "$voxmind" index d -v -o y.json
says stdout "is passed over" "ser1: a folder of DICOM files; --dicom"
exits 0 "unless asked for" "$voxmind" index d --dicom -v -o y.json
says stdout "then the others are" "scan.nii: not a DICOM file"
exits 1 "--dicom without any" "$voxmind" index n --dicom -o none.json
complains "in one message" "no DICOM files"
clean . "nothing is left half written"

# ---- OpenMind ----
exits 2 "convert-openmind wants a folder" "$voxmind" convert-openmind
complains "in one message" "--openmind_root_dir"
mkdir -p raw/om
exits 1 "without the table" env nnssl_raw="$scratch/raw" "$voxmind" convert-openmind --openmind_root_dir raw/om
complains "in one message" "openneuro_metadata.csv"
cp "$source/tests/golden/openmind/metadata.csv" raw/om/openneuro_metadata.csv
exits 0 "convert-openmind" env nnssl_raw="$scratch/raw" nnssl_preprocessed="$scratch/pp" \
    "$voxmind" convert-openmind --openmind-root-dir raw/om
says stderr "images that are not there are counted" "are listed but not there"
sed 's/pool/om/g' "$source/tests/golden/openmind/pretrain_data.json" >want.json
passes "the peer's bytes" cmp want.json raw/Dataset745_OpenMind/pretrain_data.json
mkdir odd && printf 'image_path,modality,unique_id,derived_from,image_quality_score\nd/sub-1/a.nii,T1w,d_x,,1\n../sub-1/b.nii,T1w,d_x,,1\n' >odd/openneuro_metadata.csv
exits 0 "a row whose dataset is no name" "$voxmind" convert-openmind --openmind_root_dir odd -o odd.json
says stdout "is passed over" "1 images of 1 datasets, 1 rows skipped"
exits 0 "its nnssl name" env nnssl_raw="$scratch/raw" "$(dirname "$voxmind")/nnssl_convert_openmind" --openmind_root_dir raw/om -q
printf 'image_path,modality\n' >raw/om/openneuro_metadata.csv
exits 1 "a table without its columns" env nnssl_raw="$scratch/raw" "$voxmind" convert-openmind --openmind_root_dir raw/om
complains "in one message" 'no column "unique_id"'
plan
