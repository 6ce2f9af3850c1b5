# voxmind help: topics, the manual page and the completion that make install puts in place.
. "$(dirname "$0")/../support/tap.sh"

exits 0 "help lists the commands" "$voxmind" help
says stdout "inspect among them" "inspect"
exits 0 "help of a command" "$voxmind" help preprocess
says stdout "its options" "-total_parts"
says stdout "the peer's name" "nnssl_preprocess"
exits 0 "help of a method" "$voxmind" help method mae
says stdout "its options with ranges" "mae.block"
exits 0 "help of a net" "$voxmind" help net resenc_xs
exits 0 "help of a trainer" "$voxmind" help trainer BaseMAETrainer_BS8
says stdout "what it fills in" '"batch": 8'
exits 0 "help of an op" "$voxmind" help op conv3d
exits 2 "an unknown topic" "$voxmind" help preproces
says stderr "the nearest one" '"preprocess"'
exits 2 "an unknown method" "$voxmind" help method maee
says stderr "the nearest one" '"mae"'
exits 2 "a method without a name" "$voxmind" help method

exits 0 "the manual page" "$voxmind" help man
for name in $(sed -nE 's/^VOX_CMD\(([a-z0-9_]+)\).*/\1/p' "$source/src/cli/cmds.def" | tr _ -); do
    says stdout "describes $name" ".SS voxmind ${name//-/\\-}"
    says "$source/docs/commands.md" "docs/commands.md names $name" "$name"
done
says stdout "and exit codes" ".SH EXIT STATUS"

exits 0 "the completion" "$voxmind" help completion
cp stdout voxmind.bash
complete() { # <position> <words>: what would be offered
    COMP_CWORD=$1
    shift
    COMP_WORDS=("$@")
    COMPREPLY=()
    _voxmind
    echo "${COMPREPLY[*]}"
}
source_completion() {
    complete_builtin=$(declare -f complete)
    unset -f complete
    . ./voxmind.bash
    eval "$complete_builtin"
}
source_completion
passes "commands" [ "$(complete 1 voxmind prep)" = preprocess ]
passes "options" [ "$(complete 2 voxmind bench --rep)" = --repeat ]
passes "values" [ "$(complete 3 voxmind bench --net resenc_x)" = resenc_xs ]
passes "the peer's names" [ "$(complete 2 nnssl_preprocess -c onem)" = onemmiso ]
plan
