#!/usr/bin/env bash
# Takes a public project through a whole run of Switchback, there and back, and proves with rsync what it says.
#
# usage: real-projects.sh PROJECT WORKDIR SWITCHBACK
#   PROJECT     planwise-navigator or abaco-loans-analytics: the folder beside this script that has the plan
#   WORKDIR     a new or empty folder
#   SWITCHBACK  the program
#
# variables:
#   PLANWISE_NAVIGATOR_REPOSITORY, ABACO_LOANS_ANALYTICS_REPOSITORY  where the project is cloned from: a URL or a path
#   PYTHON       the Python, 3.11 or newer, that environments are made with; python3 when not set
#   ENVIRONMENT  a virtual environment that has all of requirements.txt; a new one in WORKDIR when not set
set -euo pipefail
export LC_ALL=C

die() { printf 'error: %s\n' "$1" >&2; exit 2; }
heading() { printf '\n== %s\n' "$1"; }
figure() { printf '%-58s %s\n' "$1" "$2"; }

[ $# -eq 3 ] || die 'usage: real-projects.sh PROJECT WORKDIR SWITCHBACK'
examples=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$1
case $project in
planwise-navigator)
    repository=${PLANWISE_NAVIGATOR_REPOSITORY:-https://github.com/crzyc98/planwise_navigator}
    commit=20149d6d phase=rename ;;
abaco-loans-analytics)
    repository=${ABACO_LOANS_ANALYTICS_REPOSITORY:-https://github.com/Arisofia/abaco-loans-analytics}
    commit=3309055e phase=configuration ;;
*) die "no project \`$project\`: planwise-navigator or abaco-loans-analytics" ;;
esac
for tool in git rsync "${PYTHON:=python3}" "$3"; do
    command -v "$tool" >/dev/null || die "\`$tool\` is not there, or cannot be executed"
done
program=$(realpath "$(command -v "$3")")
mkdir -p "$2"
[ -z "$(ls -A "$2")" ] || die "\`$2\` is not empty: name a new folder"
work=$(cd "$2" && pwd)
live=$work/live candidate=$work/candidate pristine=$work/pristine altered=$work/altered

# Runs a command of the program in the live project; its exit code has to be the first argument. Sets `took`.
switchback() {
    local expected=$1 began=$EPOCHREALTIME code=0
    shift
    printf '$ switchback %s\n' "$*"
    "$program" -C "$live" "$@" 2>&1 | tee "$work/last.txt" || code=${PIPESTATUS[0]}
    took=$("$PYTHON" -c "print(f'{$EPOCHREALTIME - $began:.1f} s')")
    [ "$code" -eq "$expected" ] || die "\`switchback $*\` ended with $code, not with $expected"
}

# The time in brackets that the program printed with what it acknowledged.
acknowledged() { grep -oE 'acknowledged: .*\([0-9.]+ m?s\)' "$work/last.txt" | grep -oE '[0-9.]+ m?s' | tail -1; }

# The managed paths of the plan, one a line.
managed() {
    "$PYTHON" - "$live/switchback.toml" <<'PYTHON'
import sys, tomllib
with open(sys.argv[1], "rb") as plan:
    for item in tomllib.load(plan)["project"]["managed"]:
        print(item if isinstance(item, str) else item["path"])
PYTHON
}

# What rsync finds different in the managed paths between one tree and another: content, kind, mode, owner, time, links,
# attributes. One line for each difference; nothing when they are equal. Times are compared to the nanosecond, which
# rsync (3.1.3 or newer) does only when it is told to.
differences() {
    local path
    while read -r path; do
        if [ ! -e "$1/$path" ]; then
            [ ! -e "$2/$path" ] || printf '*deleting   %s\n' "$path"
        elif [ ! -e "$2/$path" ]; then
            printf '*missing    %s\n' "$path"
        elif [ -d "$1/$path" ]; then
            rsync -naicHAX --modify-window=-1 --delete "$1/$path/" "$2/$path/"
        else
            rsync -naicHAX --modify-window=-1 "$1/$path" "$2/$path"
        fi
    done < <(managed)
}

# Requires that the managed paths of both trees are equal, and that an altered byte, mode or time would have been seen.
prove_equal() {
    local name=$1 reference=$2 found file
    found=$(differences "$reference" "$live")
    figure "$name: lines that rsync prints" "$(grep -c . <<<"$found" || true)"
    [ -z "$found" ] || { printf '%s\n' "$found"; die "$name does not hold"; }

    rm -rf "$altered"
    rsync -a -H -A -X --exclude /.git --exclude /.switchback "$live/" "$altered/"
    [ -z "$(differences "$reference" "$altered")" ] || die 'the copy that is altered is no faithful copy'
    file=$(cd "$reference" && find config -type f -size +1k | sort | head -1)
    alter "one byte" "$file" byte
    alter "one mode" "$file" mode
    alter "one nanosecond" "$file" time
}

# Alters one thing of a file in the copy, requires that rsync sees it, and sets the file back.
alter() {
    local found
    case $3 in
    byte) printf '\377' | dd of="$altered/$2" bs=1 conv=notrunc status=none && touch -r "$live/$2" "$altered/$2" ;;
    mode) chmod u=rwx,go=x "$altered/$2" ;;
    time) "$PYTHON" -c 'import os, sys
seen = os.stat(sys.argv[1])
os.utime(sys.argv[1], ns=(seen.st_atime_ns, seen.st_mtime_ns + 1))' "$altered/$2" ;;
    esac
    found=$(differences "$reference" "$altered")
    [ -n "$found" ] || die "rsync does not see $1 altered in \`$2\`"
    figure "  $1 of $2 altered: lines" "$(grep -c . <<<"$found"): $found"
    cp -a "$live/$2" "$altered/$2"
}

# Writes the names of the tests that passed at a moment, out of the evidence that the program has kept.
passed() {
    "$program" -C "$live" status --json | "$PYTHON" -c '
import json, pathlib, sys
folder, moment = pathlib.Path(sys.argv[1]), sys.argv[2]
checks = json.load(sys.stdin)["checks"]
digest = next(check["evidence"] for check in checks if (check["name"], check["at"]) == ("tests", moment)).split(":")[1]
run = json.loads(json.loads((folder / digest).read_text())["details"]["run"])
print("\n".join(sorted(test for test, outcome in run["outcomes"].items() if outcome == "passed")))
' "$live/.switchback/evidence" "$1"
}

heading 'The project before the change, and the candidate'
git clone --quiet --no-checkout "$repository" "$live"
git -C "$live" worktree add --quiet --detach "$candidate" "$commit"
git -C "$live" checkout --quiet --detach "$commit~1"
cp "$examples/$project/switchback.toml" "$live/"
cp -a "$live" "$pristine"
figure 'files before' "$(git -C "$live" ls-files | wc -l)"
figure 'files of the candidate' "$(git -C "$candidate" ls-files | wc -l)"
figure 'files that the commit changes' "$(git -C "$live" diff --name-only --no-renames "$commit~1" "$commit" | wc -l)"
figure 'lines of rsync between both, managed paths' "$(differences "$candidate" "$live" | grep -c .)"

# Nothing that the commit changes may lie outside the managed paths, or the project would be half changed.
mapfile -t paths < <(managed)
outside=$(git -C "$live" diff --name-only --no-renames "$commit~1" "$commit" -- . "${paths[@]/#/:(exclude)}" | wc -l)
figure 'changed files outside the managed paths' "$outside"
[ "$outside" -eq 0 ] || die 'the plan does not manage all that the commit changes'

if [ -z "${ENVIRONMENT:-}" ]; then
    heading 'An environment for its tests'
    ENVIRONMENT=$work/environment
    "$PYTHON" -m venv "$ENVIRONMENT"
    "$ENVIRONMENT/bin/pip" install --quiet --requirement "$examples/$project/requirements.txt"
fi
PATH=$(cd "$ENVIRONMENT" && pwd)/bin:$PATH
export PATH

heading 'There'
switchback 0 plan
switchback 1 run
figure 'run, up to the approval' "$took"
[ -z "$(differences "$pristine" "$live")" ] || die 'the live project was touched before anybody approved'
figure 'lines of rsync between before and live, not yet approved' 0
switchback 0 approve "$phase" --role tech-lead
switchback 0 run
figure 'run, from the approval to the end' "$took"
figure 'cutover' "$(acknowledged)"
switchback 0 snapshot list
figure 'snapshots on disk' "$(du -sh "$live/.switchback/snapshots" | cut -f1)"
heading 'live = candidate'
prove_equal 'candidate against live' "$candidate"

heading 'The tests'
for moment in before staged rehearsed live; do
    passed "$moment" >"$work/passed-$moment.txt"
    figure "tests that passed, $moment" "$(wc -l <"$work/passed-$moment.txt")"
done
for moment in staged rehearsed live; do
    lost=$(comm -23 "$work/passed-before.txt" "$work/passed-$moment.txt" | wc -l)
    figure "of those that passed before, not passed $moment" "$lost"
    [ "$lost" -eq 0 ] || die "tests that passed before do not pass $moment"
done

heading 'And back'
switchback 0 rollback
figure 'rollback, the whole command' "$took"
figure 'rollback, the exchange' "$(acknowledged)"
heading 'live = before'
prove_equal 'before against live' "$pristine"
switchback 0 log verify
heading 'What the tests themselves left around the managed paths'
rsync -naicHAX --modify-window=-1 --delete --exclude /.git --exclude /.switchback --exclude __pycache__ "$pristine/" "$live/"
