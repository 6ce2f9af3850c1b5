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

cat >user.c <<'C'
#include "base/version.h"
#include <stdio.h>
int main(void)
{
    puts(vox_version());
    return 0;
}
C
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$scratch/moved" -name voxmind.pc)")
sanitize=$(sed -nE 's/^VOX_SANITIZE:[A-Z]*=(.+)/-fsanitize=\1/p' "$build/CMakeCache.txt")
# No header is public yet: the one tested comes from the source.
passes "a program links with the installed library" \
    bash -c "cc $sanitize user.c -I '$source/src' \$(pkg-config --cflags --libs voxmind) -o user && ./user"

passes "DESTDIR stages the same tree" \
    env DESTDIR="$scratch/stage" cmake --install "$build" --prefix /usr
passes "below its prefix" test -x "$scratch/stage/usr/bin/voxmind"
plan
