#!/bin/sh
# sh libcst_rename.sh PYTHON TREE OLD NEW PACKAGE…: renames a module or package by libcst's codemod, in the files that name
# its last part, and moves it.
set -eu
python=$1 tree=$2 old=$3 new=$4
shift 4
cd "$tree"
last=${old##*.}
grep -rlw --include='*.py' "$last" "$@" |
    xargs "$python" -m libcst.tool codemod --no-format --hide-progress rename.RenameCommand --old_name "$old" --new_name "$new" >&2
from=$(echo "$old" | tr . /) to=$(echo "$new" | tr . /)
if [ -d "$from" ]; then mv "$from" "$to"; else mv "$from.py" "$to.py"; fi
