# make install: everything lands below PREFIX, links work, the folder may move.
. "$(dirname "$0")/../support/tap.sh"

build=$(dirname "$voxmind")
passes "install below a prefix" cmake --install "$build" --prefix "$scratch/usr"
passes "the program runs from there" "$scratch/usr/bin/voxmind" --version

mv "$scratch/usr" "$scratch/moved"
passes "and from elsewhere" "$scratch/moved/bin/voxmind" --version

links=$(sed -nE 's/.*\.peer = "(nnssl_[a-zA-Z0-9_]+)".*/\1/p' "$source"/src/cli/cmd_*.c)
for name in $links; do
    passes "$name is linked in the build folder" test -x "$build/$name"
    passes "$name is installed" "$scratch/moved/bin/$name" -h
done

passes "the manual page is installed" test -s "$scratch/moved/share/man/man1/voxmind.1"
passes "and the completion" test -s "$scratch/moved/share/bash-completion/completions/voxmind"

export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$scratch/moved" -name voxmind.pc)")
sanitize=$(sed -nE 's/^VOX_SANITIZE:[A-Z]*=(.+)/-fsanitize=\1/p' "$build/CMakeCache.txt")
# The example knows the public headers only, those that were installed.
passes "the example builds with what is installed" \
    bash -c "cc -std=c11 -Wall -Wextra -Werror $sanitize '$source/examples/collection.c' \$(pkg-config --cflags --libs voxmind) -o collection"
exits 0 "and runs" ./collection out.json "$source/fuzz/corpus/collection/demo.json"
says stdout "it joins" "2 images joined, 0 were there"
says stdout "it lists by modality" "Dataset001_Example__ds000001__sub-01__ses-1__t1.nii.gz"
says stdout "also what was joined" "Dataset001_Example__ds000001__sub-01__ses-DEFAULT__sub-01_T1w.nii.gz"
lacks stdout "others are filtered out" "t2.nii.gz"
exits 0 "what it wrote is a collection" "$voxmind" inspect out.json
says stdout "with both sessions" "sessions           2"
exits 1 "its failures have the library's message" ./collection out.json none.json
says stderr "with the file" "none.json"
passes "public headers include each other only" \
    bash -c "! grep -h '#include \"' '$source'/include/vox/*.h | grep -v '\"vox/'"
cat >each.cpp <<'C'
#include <vox/collection.h>
#include <vox/records.h>
int main() { vox_collection c = VOX_COLLECTION_INIT; vox_collection_release(&c); return *vox_error_text(); }
C
if command -v c++ >/dev/null; then
    passes "and are C++, too" bash -c "c++ $sanitize each.cpp \$(pkg-config --cflags --libs voxmind) -o each && ./each"
fi

passes "DESTDIR stages the same tree" \
    env DESTDIR="$scratch/stage" cmake --install "$build" --prefix /usr
passes "below its prefix" test -x "$scratch/stage/usr/bin/voxmind"
plan
