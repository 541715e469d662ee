"""Merges real merge commits anew and compares with what was committed and with what git itself makes of them.

    python merge_commits.py EXAMPLE SCRATCH COUNT REPOSITORY...

EXAMPLE is the built example `merge_commit`; REPOSITORY is a git directory. COUNT merges of each are taken: two parents,
one merge base, and at least one Python file that both sides changed; in an order that does not depend on the day.
One line of JSON comes out for each merge, and the sums at the end.
"""

import ast
import collections
import hashlib
import json
import os
import shutil
import subprocess
import sys
import warnings

warnings.simplefilter("ignore")


def git(directory, *arguments, check=True, env=None, text=True):
    done = subprocess.run(
        ["git", f"--git-dir={directory}", *arguments],
        capture_output=True, text=text, env={**os.environ, **(env or {})}, errors="replace" if text else None,
    )
    if check and done.returncode != 0:
        raise RuntimeError(f"git {arguments[0]}: {done.stderr}")
    return done


def changed(directory, old, new):
    out = git(directory, "diff-tree", "-r", "--no-renames", "--name-only", "-z", old, new).stdout
    return {name for name in out.split("\0") if name}


def chosen(directory, count):
    lines = git(directory, "rev-list", "--all", "--merges", "--min-parents=2", "--max-parents=2", "--parents").stdout
    commits = sorted((line.split() for line in lines.splitlines()), key=lambda one: hashlib.sha256(one[0].encode()).digest())
    taken = {"clean": [], "conflict": []}
    for commit, first, second in commits:
        bases = git(directory, "merge-base", "--all", first, second, check=False).stdout.split()
        if len(bases) != 1 or bases[0] in (first, second):
            continue
        both = changed(directory, bases[0], first) & changed(directory, bases[0], second)
        if not any(name.endswith(".py") for name in both):
            continue
        merged = git(directory, "merge-tree", "--write-tree", "-z", first, second, check=False)
        if merged.returncode not in (0, 1):
            continue
        kind = "conflict" if merged.returncode else "clean"
        # Half of them are such that git gave up on.
        if len(taken[kind]) < (count + 1) // 2 and is_whole(directory, commit, first, second):
            told = merged.stdout.split("\0")
            end = told.index("", 1) if "" in told[1:] else len(told)
            unmerged = {line.split("\t", 1)[1] for line in told[1:end] if "\t" in line}
            taken[kind].append((commit, first, second, told[0], unmerged if kind == "conflict" else set()))
        if sum(map(len, taken.values())) >= count:
            break
    return taken["clean"] + taken["conflict"]


def is_whole(directory, *commits):
    """Whether every blob is there: the largest files of a repository may not have been copied with it."""
    blobs = set()
    for commit in commits:
        listing = git(directory, "ls-tree", "-r", commit).stdout.splitlines()
        blobs |= {line.split()[2] for line in listing if line.split()[1] == "blob"}
    check = subprocess.run(["git", f"--git-dir={directory}", "cat-file", "--batch-check=%(objecttype)"],
                           input="\n".join(blobs) + "\n", capture_output=True, text=True)
    return "missing" not in check.stdout


def names(source):
    """Every definition of a module, dotted, with how often it is there; nothing when it does not parse."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return None
    found = collections.Counter()

    def walk(body, within):
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                found[within + node.name] += 1
            elif isinstance(node, ast.ClassDef):
                found[within + node.name] += 1
                walk(node.body, within + node.name + ".")
            elif isinstance(node, (ast.If, ast.Try, ast.With)):
                for part in ("body", "orelse", "finalbody"):
                    walk(getattr(node, part, []), within)
                for handler in getattr(node, "handlers", []):
                    walk(handler.body, within)

    walk(tree.body, "")
    return found


def blob(directory, tree, path):
    done = git(directory, "cat-file", "blob", f"{tree}:{path}", check=False, text=False)
    return done.stdout if done.returncode == 0 else None


def one(example, scratch, directory, merge):
    commit, first, second, by_git, unmerged = merge
    work, out = os.path.join(scratch, "work"), os.path.join(scratch, "out")
    for folder in (work, out, out + ".scratch"):
        shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(work)
    with open(os.path.join(work, ".git"), "w") as file:
        file.write(f"gitdir: {os.path.abspath(directory)}\n")
    done = subprocess.run([example, work, commit, out], capture_output=True, text=True)
    if done.returncode != 0:
        return {"commit": commit, "error": done.stderr.strip()[-400:]}
    report = json.loads(done.stdout)
    env = {"GIT_INDEX_FILE": os.path.join(scratch, "index"), "GIT_WORK_TREE": out,
           "GIT_OBJECT_DIRECTORY": os.path.join(scratch, "objects"),
           "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.path.join(os.path.abspath(directory), "objects")}
    os.makedirs(env["GIT_OBJECT_DIRECTORY"], exist_ok=True)
    if os.path.exists(env["GIT_INDEX_FILE"]):
        os.remove(env["GIT_INDEX_FILE"])
    git(directory, "read-tree", first, env=env)
    git(directory, "-c", "core.autocrlf=false", "-c", "core.safecrlf=false", "add", "-A", "-f", ".", env=env)
    ours = git(directory, "write-tree", env=env).stdout.strip()
    run = lambda *arguments: git(directory, *arguments, env=env).stdout

    def differs(old, new):
        # Submodules are no files of the tree, and are not merged.
        fields = run("diff-tree", "-r", "--no-renames", "-z", old, new).split("\0")
        pairs = zip(fields[0::2], fields[1::2])
        return {path for meta, path in pairs if "160000" not in meta.split(" ", 2)[0] + meta.split(" ", 2)[1]}

    committed = commit + "^{tree}"
    asked = {file["path"] for file in report["files"] if file["conflicts"]}
    from_committed, from_git = differs(ours, committed), differs(ours, by_git)
    git_from_committed = differs(by_git, committed)
    row = {
        "repository": os.path.basename(os.path.dirname(os.path.abspath(directory))), "commit": commit,
        "git_conflicts_in": len(unmerged), "verdict": report["verdict"],
        "conflicts": sum(file["conflicts"] for file in report["files"]), "conflicts_in": len(asked),
        "union": {key: len(report["union"][key]) for key in ("lost", "broken", "unparsed")},
        "lost": report["union"]["lost"][:6], "notes": report["notes"],
        "files": len(report["files"]), "definitions": report["union"]["definitions"], "tests": report["union"]["tests"],
        "from_committed": len(from_committed), "from_git": len(from_git), "git_from_committed": len(git_from_committed),
    }

    def read(tree, path):
        done = subprocess.run(["git", f"--git-dir={directory}", "cat-file", "blob", f"{tree}:{path}"],
                              capture_output=True, env={**os.environ, **env})
        return done.stdout if done.returncode == 0 else None

    classes, lost, fewer = collections.defaultdict(list), [], []
    for path in sorted(from_git | from_committed | git_from_committed):
        mine, theirs, final = (read(tree, path) for tree in (ours, by_git, committed))
        listed = [names(text) if text is not None and path.endswith(".py") else collections.Counter() for text in (mine, theirs, final)]
        if path not in asked and listed[0] is not None:
            known = listed[1] if path not in unmerged else listed[2]
            missing = [name for name in known or () if name not in listed[0]]
            if path in unmerged:
                # Git kept nothing here: what the authors wrote in the end is what it is held against.
                fewer += [f"{path}:{name}" for name in missing]
            else:
                lost += [f"{path}:{name}" for name in missing]
        classes[kind_of(path, asked, unmerged, mine, theirs, final)].append(path)
    row["classes"] = {name: [len(paths), *paths[:5]] for name, paths in sorted(classes.items())}
    row["lost_that_git_kept"] = lost
    row["not_as_the_authors_in_the_end"] = fewer
    return row


def kind_of(path, asked, unmerged, mine, theirs, final):
    """The named class of a file on which not all of ours, git's and the committed tree agree."""
    if path in asked:
        if path in unmerged:
            return "both ask"
        return "we ask, git does not"
    if path in unmerged:
        if mine == final:
            return "merged where git gave up, as the authors did"
        return "merged where git gave up, and the authors wrote something else"
    if mine == theirs:
        return "the authors changed what git and we merged alike"
    if mine == final:
        return "as the authors did, unlike git"
    if theirs is None or mine is None:
        return "only one of git and us has the file"
    return "git and we merged it differently"


def main():
    example, scratch, count, *directories = sys.argv[1:]
    os.makedirs(scratch, exist_ok=True)
    rows = []
    for directory in directories:
        for merge in chosen(directory, int(count)):
            row = one(example, scratch, directory, merge)
            rows.append(row)
            print(json.dumps(row), flush=True)
    sums = collections.Counter()
    for row in rows:
        if "error" in row:
            sums["error"] += 1
            continue
        sums["merges"] += 1
        git_clean = row["git_conflicts_in"] == 0
        sums["git clean" if git_clean else "git conflicts"] += 1
        sums["identical to the commit"] += row["from_committed"] == 0
        sums["git identical to the commit"] += row["git_from_committed"] == 0
        sums["identical to git"] += row["from_git"] == 0
        sums[f"verdict {row['verdict']}"] += 1
        sums["no conflict where git has some"] += not git_clean and row["conflicts"] == 0
        sums["conflicts where git has none"] += git_clean and row["conflicts"] > 0
        sums["files in conflict"] += row["conflicts_in"]
        sums["files in conflict for git"] += row["git_conflicts_in"]
        sums["definitions lost that git kept"] += len(row["lost_that_git_kept"])
        for name, paths in row["classes"].items():
            sums[f"files: {name}"] += paths[0]
    print(json.dumps(sums, indent=1), file=sys.stderr)


main()
