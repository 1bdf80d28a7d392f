# filled.sh SCRIPT NAME=VALUE…: prints a script of the documents with its variables filled in.
text=$(cat "$(dirname "$0")/scripts/$1"; echo .)
shift
for pair; do
    export name=${pair%%=*} value=${pair#*=}
    text=$(perl -pe 's/^\Q$ENV{name}\E=.*/$ENV{name}="$ENV{value}"/' <<< "$text")
done
printf '%s' "${text%.}"
