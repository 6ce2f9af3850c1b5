# Three words of TAP for the scripts of this folder: ok, not ok, plan.
# $source is the tree under test, scratch a folder that goes away.
source=${VOX_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
arch=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
count=0

# passes <title> <command...>: the command succeeds; what it printed is shown if not
passes() {
    local title=$1 out
    shift
    count=$((count + 1))
    if out=$("$@" 2>&1); then
        echo "ok $count - $title"
    else
        echo "not ok $count - $title"
        echo "$out" | sed 's/^/# /'
    fi
}

# refuses <title> <text> <command...>: the command fails and prints the text
refuses() {
    local title=$1 want=$2 out
    shift 2
    count=$((count + 1))
    if out=$("$@" 2>&1); then
        echo "not ok $count - $title"
        echo "# was accepted"
    elif [[ $out != *"$want"* ]]; then
        echo "not ok $count - $title"
        echo "# wanted: $want"
        echo "$out" | sed 's/^/# found: /'
    else
        echo "ok $count - $title"
    fi
}

plan() {
    echo "1..$count"
}
