# Scans for shell tests: small, and broken in the ways scans are.

# scan <file.nii> [nx ny nz [values]]: a NIfTI-1 file of float voxels
#   values  wave (default), ramp (0, 1, 2, ...), constant, zero, nan, spacing0 (a wave with a
#           voxel of 0 mm)
scan() {
    perl -e '
        my ($file, $nx, $ny, $nz, $values) = @ARGV;
        my $size = $values eq "spacing0" ? 0 : 1.5;
        my $h = "\0" x 352;
        substr($h, 0, 4) = pack("l<", 348);
        substr($h, 40, 16) = pack("s<8", 3, $nx, $ny, $nz, 1, 1, 1, 1);
        substr($h, 70, 4) = pack("s<2", 16, 32);
        substr($h, 76, 32) = pack("f<8", 1, 1, $size, 1, 1, 0, 0, 0);
        substr($h, 108, 4) = pack("f<", 352);
        substr($h, 112, 8) = pack("f<2", 1, 0);
        substr($h, 123, 1) = pack("C", 2);
        substr($h, 344, 4) = "n+1\0";
        open(my $f, ">:raw", $file) or die "$file: $!";
        print $f $h;
        exit if $nx * $ny * $nz > 1e7;
        my @v;
        for my $z (0 .. $nz - 1) {
            for my $y (0 .. $ny - 1) {
                for my $x (0 .. $nx - 1) {
                    push @v, $values eq "zero" ? 0
                           : $values eq "constant" ? 7
                           : $values eq "ramp" ? scalar(@v)
                           : 10 + 5 * sin($x / 3) * cos($y / 4) + $z;
                }
            }
        }
        $v[@v / 2] = "NaN" + 0 if $values eq "nan";
        print $f pack("f<*", @v);
    ' "$1" "${2:-40}" "${3:-36}" "${4:-32}" "${5:-wave}"
}

# bad_scans <folder>: one file for each way to be broken; each name says how
bad_scans() {
    mkdir -p "$1"
    scan "$1/whole.nii"
    gzip -9 <"$1/whole.nii" >"$1/whole.nii.gz"
    head -c 5000 "$1/whole.nii" >"$1/truncated.nii"
    head -c 5000 "$1/whole.nii.gz" >"$1/truncated_gz.nii.gz"
    echo "this is no gzip stream" >"$1/no_gzip.nii.gz"
    printf 'XYZ\0' | cat <(head -c 344 "$1/whole.nii") - <(tail -c +349 "$1/whole.nii") >"$1/magic.nii"
    scan "$1/huge.nii" 32000 32000 32000
    scan "$1/nan.nii" 40 36 32 nan
    scan "$1/constant.nii" 40 36 32 constant
    scan "$1/spacing.nii" 40 36 32 spacing0
    : >"$1/empty.nii.gz"
    rm "$1/whole.nii" "$1/whole.nii.gz"
}
