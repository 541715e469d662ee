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
            taken[kind].append((commit, first, second, bases[0], merged.stdout.split("\0")[0], merged.returncode == 0))
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
    commit, first, second, base, by_git, git_is_clean = merge
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
    # Submodules are not in the tree: they stay as the first parent has them.
    git(directory, "read-tree", first, env=env)
    git(directory, "-c", "core.autocrlf=false", "-c", "core.safecrlf=false", "add", "-A", "-f", ".", env=env)
    modules = git(directory, "ls-tree", "-r", first).stdout.splitlines()
    for line in modules:
        if line.startswith("160000 "):
            sha, path = line.split()[2], line.split("\t", 1)[1]
            git(directory, "update-index", "--add", "--cacheinfo", f"160000,{sha},{path}", env=env)
    ours = git(directory, "write-tree", env=env).stdout.strip()
    run = lambda *arguments: git(directory, *arguments, env=env).stdout
    differs = lambda old, new: {name for name in run("diff-tree", "-r", "--no-renames", "--name-only", "-z", old, new).split("\0") if name}
    committed = commit + "^{tree}"
    asked = {file["path"] for file in report["files"] if file["conflicts"]}
    row = {
        "repository": os.path.basename(os.path.dirname(os.path.abspath(directory))), "commit": commit,
        "git_clean": git_is_clean, "verdict": report["verdict"], "conflicts": sum(file["conflicts"] for file in report["files"]),
        "asked": sorted(asked), "union": {key: len(report["union"][key]) for key in ("lost", "broken", "unparsed")},
        "lost": report["union"]["lost"][:6],
        "files": len(report["files"]), "definitions": report["union"]["definitions"], "tests": report["union"]["tests"],
        "from_committed": sorted(differs(ours, committed)), "from_git": sorted(differs(ours, by_git)),
        "git_from_committed": sorted(differs(by_git, committed)),
    }
    def read(tree, path):
        done = subprocess.run(["git", f"--git-dir={directory}", "cat-file", "blob", f"{tree}:{path}"],
                              capture_output=True, env={**os.environ, **env})
        return done.stdout if done.returncode == 0 else None

    lost, resolved, gone = [], [], []
    for path in sorted(set(row["from_git"]) | set(row["from_committed"])):
        if not path.endswith(".py"):
            continue
        mine, theirs, final = (read(tree, path) for tree in (ours, by_git, committed))
        mine_names = names(mine) if mine is not None else collections.Counter()
        git_names = names(theirs) if theirs is not None else collections.Counter()
        final_names = names(final) if final is not None else collections.Counter()
        if path not in asked and mine_names is not None and git_names is not None:
            missing = [name for name in git_names if name not in mine_names]
            lost += [f"{path}:{name}" for name in missing]
        if path not in asked and mine_names is not None and final_names is not None and git_names is None:
            # git left markers here, and we merged it.
            resolved.append(path)
            gone += [f"{path}:{name}" for name in final_names if name not in mine_names]
    row["lost_that_git_kept"] = lost
    row["resolved_where_git_gave_up"] = resolved
    row["missing_from_resolved"] = gone
    return row


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
        sums["git clean" if row["git_clean"] else "git conflicts"] += 1
        sums["identical to the commit"] += not row["from_committed"]
        sums["git identical to the commit"] += not row["git_from_committed"]
        sums["identical to git"] += not row["from_git"]
        sums[f"verdict {row['verdict']}"] += 1
        sums["clean where git gave up"] += not row["git_clean"] and row["conflicts"] == 0
        sums["conflicts where git had none"] += row["git_clean"] and row["conflicts"] > 0
        sums["definitions lost that git kept"] += len(row["lost_that_git_kept"])
    print(json.dumps(sums, indent=1), file=sys.stderr)


main()
