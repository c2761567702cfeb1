#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The Kubernetes manifests: sound YAML (of the plain kind that they use), fields that fit together, and their very commands, run here as the
# pods of a small Job would, come to the same as one search. manifest.sh ROOT PROGRAM
set -eu
root=$1
program=$2
search=$root/packaging/kubernetes/search.yaml
merge=$root/packaging/kubernetes/merge.yaml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

# Maps, lists and folded texts as lines "path=value", by indentation; whatever else is a fault.
flatten() {
    awk '
        function bad(why) { print FILENAME ":" FNR ": " why > "/dev/stderr"; failed = 1; exit 1 }
        /\t/ { bad("a tab") }
        /^[ ]*#/ || /^[ ]*$/ { next }
        /^---$/ { document++; depth = 0; next }
        {
            match($0, /^ */); indent = RLENGTH; text = substr($0, indent + 1)
            if (folding && indent > folded_at) { value = value (value == "" ? "" : " ") text; next }
            if (folding) { print folded "=" value; folding = 0 }
            while (text ~ /^- /) {
                while (depth > 0 && columns[depth] > indent) depth--
                if (depth == 0 || columns[depth] != indent || !is_list[depth]) { depth++; columns[depth] = indent; is_list[depth] = 1; item[depth] = -1 }
                item[depth]++; keys[depth] = item[depth]
                indent += 2; text = substr(text, 3)
            }
            while (depth > 0 && (columns[depth] > indent || (columns[depth] == indent && is_list[depth]))) depth--
            if (text ~ /^[A-Za-z][A-Za-z]*:( |$)/) {
                if (depth == 0 || columns[depth] < indent) { depth++; columns[depth] = indent; is_list[depth] = 0 }
                if (indent % 2 != 0) bad("odd indentation")
                key = text; sub(/:.*/, "", key); keys[depth] = key
                text = substr(text, length(key) + 2); sub(/^ /, "", text)
            }
            path = document + 0
            for (i = 1; i <= depth; i++) path = path "." keys[i]
            if (seen[path]++ && text != "") bad("twice: " path)
            if (text == ">-") { folding = 1; folded = path; folded_at = columns[depth]; value = ""; next }
            if (text ~ /^["\[]/ && text !~ /["\]]$/) bad("open: " text)
            if (text != "") print path "=" text
        }
        END { if (failed) exit 1; if (folding) print folded "=" value }' "$1"
}

value() { # FILE PATH
    sed -n "s|^$2=||p" "$1"
}

flatten "$search" >"$work/search" || fail 'search.yaml is no sound YAML'
flatten "$merge" >"$work/merge" || fail 'merge.yaml is no sound YAML'
is() { # FILE PATH VALUE
    [ "$(value "$work/$1" "$2")" = "$3" ] || fail "$1.yaml: $2 is '$(value "$work/$1" "$2")', not '$3': $(cat "$work/$1")"
}
claim=$(value "$work/search" 0.metadata.name)
is search 0.kind PersistentVolumeClaim
is search 1.apiVersion batch/v1
is search 1.kind Job
is search 1.spec.completionMode Indexed
is search 1.spec.template.spec.restartPolicy Never
is search 1.spec.template.spec.volumes.0.persistentVolumeClaim.claimName "$claim"
is merge 0.kind Job
is merge 0.spec.template.spec.volumes.0.persistentVolumeClaim.claimName "$claim"
is merge 0.spec.template.spec.containers.0.image "$(value "$work/search" 1.spec.template.spec.containers.0.image)"
for file in search merge; do
    path=$([ $file = search ] && echo 1 || echo 0).spec.template.spec
    is $file "$path.containers.0.volumeMounts.0.name" "$(value "$work/$file" "$path.volumes.0.name")"
    is $file "$path.containers.0.volumeMounts.0.mountPath" /results
    is $file "$path.containers.0.command" '[/bin/sh, -c]'
done
command=$(value "$work/search" 1.spec.template.spec.containers.0.args.0)
completions=$(value "$work/search" 1.spec.completions)
[ "$(value "$work/search" 1.spec.parallelism)" -le "$completions" ] || fail 'more pods at once than shards'
echo "$command" | grep -q "+ 1))/$completions " || fail "as many shards as completions: $command"

# Three pods instead of eight, six seeds instead of ten thousand, a folder instead of a volume; all else is as written.
mkdir "$work/results" "$work/bin"
ln -s "$(realpath "$program")" "$work/bin/hearsay"
here=$(echo "$command" | sed "s|/results/|$work/results/|g; s|1\.\.10000|1..6|; s|))/$completions |))/3 |")
for index in 0 1 2; do
    env PATH="$work/bin:$PATH" JOB_COMPLETION_INDEX=$index /bin/sh -c "$here" || fail "pod $index: $here"
done
[ "$(find "$work/results" -name '*.json' | wc -l)" = 3 ] && [ "$(cat "$work"/results/*.json | wc -l)" = 6 ] ||
    fail "results: $(ls -l "$work/results")"
last=$(value "$work/merge" 0.spec.template.spec.containers.0.args.0 | sed "s|/results/|$work/results/|g")
env PATH="$work/bin:$PATH" /bin/sh -c "$last" >"$work/merged" || fail "merge: $(cat "$work/merged")"
grep -q '^6 seeds, 0 failed' "$work/merged" || fail "merged: $(cat "$work/merged")"

# Wrong use ends the pod and leaves no file.
code=0
env PATH="$work/bin:$PATH" JOB_COMPLETION_INDEX=7 /bin/sh -c "$here" 2>"$work/why" || code=$?
[ $code = 2 ] && [ ! -e "$work/results/part7.json" ] || fail "a shard beyond the last: exit code $code"

# The container file names what it copies, and packages that ./dev knows.
container=$root/packaging/Containerfile
[ "$(grep -c '^FROM debian:12' "$container")" = 2 ] || fail 'it builds and runs on Debian 12'
for package in $(sed -n 's/^ *\(gcc libc6-dev .*\) && .*/\1/p' "$container"); do
    grep -q -w -e "$package" "$root/dev" || fail "the container installs $package, which ./dev does not know"
done
