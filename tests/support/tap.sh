# A few words of TAP for shell tests.
#
#   $source   the project, $arch its tests/arch, $voxmind the program
#   $scratch  an empty folder that goes away, and where the script starts
#
# A script says what it expects, one line each, and ends with `plan`. Where it can ask nothing it
# says so with `skip_all`, and counts as skipped.
source=${VOX_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
arch=$source/tests/arch
voxmind=${VOXMIND:-$source/build/voxmind}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
count=0

# verdict <0 or not> <title> <text shown when it failed>
verdict() {
    count=$((count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        sed 's/^/# /' <<<"$3"
    fi
}

# passes <title> <command...>: the command succeeds
passes() {
    local title=$1 out
    shift
    out=$("$@" 2>&1)
    verdict $? "$title" "$out"
}

# refuses <title> <text> <command...>: the command fails and prints the text
refuses() {
    local title=$1 want=$2 out rc
    shift 2
    out=$("$@" 2>&1)
    rc=$?
    [ $rc != 0 ] && [[ $out == *"$want"* ]]
    verdict $? "$title" "wanted a failure that says: $want"$'\n'"found status $rc: $out"
}

# exits <status> <title> <command...>: exactly this status; stdout and stderr stay in the files
# $scratch/stdout and $scratch/stderr
exits() {
    local want=$1 title=$2 rc
    shift 2
    "$@" >"$scratch/stdout" 2>"$scratch/stderr" </dev/null
    rc=$?
    [ $rc = "$want" ]
    verdict $? "$title" "wanted status $want, found $rc: $(cat "$scratch/stdout" "$scratch/stderr")"
}

# says <file> <title> <text>: the file holds the text
says() {
    grep -qF -- "$3" "$1"
    verdict $? "$2" "wanted: $3"$'\n'"found: $(cat "$1")"
}

# lacks <file> <title> <text>: the file does not hold the text
lacks() {
    ! grep -qF -- "$3" "$1"
    verdict $? "$2" "not wanted: $3"$'\n'"found: $(cat "$1")"
}

# silent <file> <title>: the file is empty
silent() {
    [ ! -s "$1" ]
    verdict $? "$2" "found: $(cat "$1")"
}

# complains <title> <text>...: stderr is one message of the program, and holds every text
complains() {
    local title=$1 text missing=
    shift
    for text in "$@"; do
        grep -qF -- "$text" "$scratch/stderr" || missing+=" \"$text\""
    done
    [ -z "$missing" ] && [ "$(wc -l <"$scratch/stderr")" = 1 ] && grep -q '^voxmind: ' "$scratch/stderr"
    verdict $? "$title" "wanted one message with all of: $*"$'\n'"found: $(cat "$scratch/stderr")"
}

# clean <folder> <title>: nothing below it was left half written
clean() {
    local left
    left=$(find "$1" -name '*.tmp*' 2>/dev/null)
    [ -z "$left" ]
    verdict $? "$2" "left behind: $left"
}

# skip_all <why>: the script has nothing to ask here
skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}

plan() {
    echo "1..$count"
}
