# The program without a command: version, help, misuse.
. "$(dirname "$0")/../support/tap.sh"

exits 0 "--version succeeds" "$voxmind" --version
says stdout "it names the program" "voxmind 0."
silent stderr "and nothing else is said"

exits 0 "-h succeeds" "$voxmind" -h
says stdout "it lists the commands" "doctor"

exits 0 "no command shows the same" "$voxmind"
says stdout "list of commands" "doctor"

exits 2 "an unknown command is misuse" "$voxmind" doctr
says stderr "it says what was meant" "doctor"
silent stdout "and leaves stdout alone"

exits 2 "an unknown option is misuse" "$voxmind" doctor --jsno
says stderr "it names the option" "jsno"
says stderr "it says what was meant" "--json"

# Every command of the table explains itself.
for name in $(sed -nE 's/^VOX_CMD\(([a-z0-9_]+)\).*/\1/p' "$source/src/cli/cmds.def" | tr _ -); do
    exits 0 "$name -h succeeds" "$voxmind" "$name" -h
    says stdout "$name -h shows its usage" "voxmind $name"
done
plan
