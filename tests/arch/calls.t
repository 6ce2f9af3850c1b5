# Does a library stay silent and leave the process alone?
. "$(dirname "$0")/../support/tap.sh"

file() {
    rm -rf "$scratch/src"
    mkdir -p "$scratch/src/$(dirname "$1")"
    echo "    $2" >"$scratch/src/$1"
}

passes "no library of the project prints, exits or copies unbounded" "$arch/check_calls" "$source"
file cli/main.c 'printf("%d\n", i);'
passes "the command line prints" "$arch/check_calls" "$scratch"
file ops/add.c 'printf("%d\n", i);'
refuses "an op does not print" "src/ops/add.c:1" "$arch/check_calls" "$scratch"
file train/loop.c 'if (rc) exit(1);'
refuses "the loop does not exit" "src/train/loop.c:1" "$arch/check_calls" "$scratch"
file cli/main.c 'strcpy(a, b);'
refuses "nobody copies unbounded" "src/cli/main.c:1" "$arch/check_calls" "$scratch"
file io/zip.c 'vox_buf_printf(&b, "x"); snprintf(s, n, "x"); self->exit(1);'
passes "names that merely end alike are fine" "$arch/check_calls" "$scratch"
plan
