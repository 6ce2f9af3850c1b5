# The README's tour: every line of it works as it stands.
. "$(dirname "$0")/../support/tap.sh"
unset nnssl_raw nnssl_preprocessed nnssl_results
ln -s "$(dirname "$voxmind")" build
sed -n '/^## One-minute tour/,/^## /p' "$source/README.md" | sed -n '/^```sh/,/^```$/p' | grep '^build/voxmind' >tour
passes "the README has a tour" test -s tour
while read -r line; do
    exits 0 "${line%%#*}" bash -c "$line"
done <tour
says stdout "the checkpoint was trained to the end" "epoch"
for file in checkpoint_final.pth metrics.jsonl config.json progress.png reconstruction.png plans.json adaptation_plan.json; do
    passes "$file is there" test -s "run/$file"
done
plan
