# Does the README promise what there is, and nothing else?
. "$(dirname "$0")/../support/tap.sh"

readme() {
    mkdir -p "$scratch/src/cli"
    echo "VOX_CMD(inspect)" >"$scratch/src/cli/cmds.def"
    echo "| \`voxmind $1\` | $2 |" >"$scratch/README.md"
}

passes "the README's commands are those of the program" "$arch/check_readme" "$source"
readme inspect "look into a file"
passes "a command that exists" "$arch/check_readme" "$scratch"
readme pretrain "train (*coming*)"
passes "a command to come, marked" "$arch/check_readme" "$scratch"
readme pretrain "train"
refuses "a command to come, not marked" "voxmind pretrain has no line" "$arch/check_readme" "$scratch"
readme inspect "look (*coming*)"
refuses "a command that exists, still marked" "drop its" "$arch/check_readme" "$scratch"
plan
