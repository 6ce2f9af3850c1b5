# voxmind replay: a bundle in, a bundle out; misuse and faults by exit code and message.
. "$(dirname "$0")/../support/tap.sh"

golden=$source/tests/golden/replay/tiny_smooth.safetensors

exits 0 "a bundle is replayed" "$voxmind" replay "$golden" out.safetensors
silent stdout "nothing is printed"
passes "the result is there" test -s out.safetensors

exits 0 "in pieces, on the fake device" \
    "$voxmind" replay --micro-batch 2 --device fake --path reference "$golden" pieces.safetensors
passes "the result says how" grep -q '"micro_batch":"2"' pieces.safetensors

exits 0 "an option is set over the bundle's" \
    "$voxmind" replay --set cpu.winograd=false "$golden" direct.safetensors
exits 1 "and counts" "$voxmind" replay --set mae.block=2 "$golden" none.safetensors
says stderr "in what the bundle must hold" "step0/keep"
exits 2 "an option without a value is misuse" \
    "$voxmind" replay --set winograd "$golden" none.safetensors

exits 2 "one file is too few" "$voxmind" replay "$golden"
exits 1 "a kernel path that does not exist is refused" \
    "$voxmind" replay --path avx9 "$golden" none.safetensors
says stderr "and the ones there are are named" "avx512"
exits 1 "a missing bundle is named" "$voxmind" replay missing.safetensors none.safetensors
says stderr "by its path" "missing.safetensors"

head -c 20000 "$golden" >cut.safetensors
exits 1 "a truncated bundle is refused" "$voxmind" replay cut.safetensors none.safetensors
says stderr "by its path" "cut.safetensors"

exits 1 "an unwritable output is refused" "$voxmind" replay "$golden" missing/out.safetensors
says stderr "by its path" "missing/out.safetensors"
passes "nothing half-written is left" test ! -e none.safetensors
plan
