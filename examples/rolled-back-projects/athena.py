"""Takes two commits of a public project live as two phases, rolls them back, whole and in part, and compares every byte.

usage: athena.py REPOSITORY SWITCHBACK FOLDER

REPOSITORY  a git directory of https://github.com/atharvakapadnis/athena; it is only read
SWITCHBACK  the program
FOLDER      a new or empty folder; the projects are laid out in it, and nothing outside of it is written

Ends with exit code 0 when every tree is the one that it should be, and with 1 when one is not.
"""

import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

from importing import failing, lost

FIRST = "c94c7fa3eaba19b689bc9d32649253afe74b5147"
SECOND = "0f58292c3ae180ae011a9e196b95c5534a04261e"
MANAGED = ["src", "tests", "redundancy_reduction_backups"]
# The same, so that the folder in question is a path that is exchanged by itself.
APART = [
    "src/ai_analysis", "src/batch_processor", "src/progress_tracking", "src/iterative_refinement_system.py", "tests",
    "redundancy_reduction_backups",
]
# Lines for what Switchback keeps come into this file.
EXCLUSIONS = ".git/info/exclude"
# Where there are modules that are in use.
FOLDERS = ("src/", "tests/")
PLAN = """version = 1

[project]
name = "athena"
managed = [{managed}]

# What is not managed is compared, and `.git` with it: no safety branch is made there.
[snapshot]
git = false
{phases}"""
PHASE = """
[[phase]]
name = "{name}"

[[phase.change]]
kind = "files"
from = "git:{revision}"
"""


class Trial:
    """What was looked at, and what was not as it should be."""

    def __init__(self, repository, program, folder):
        self.repository, self.program, self.folder = repository, program, folder
        self.compared = {"trees": 0, "files": 0, "bytes": 0}
        self.differences = []
        self.commits = {name: self.commit(name) for name in (f"{FIRST}^", FIRST, SECOND)}

    def git(self, *arguments, text=False):
        command = ["git", f"--git-dir={self.repository}", *arguments]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=text).stdout

    def commit(self, revision):
        """The files of a commit: path → (may be executed, content)."""
        found = {}
        for line in self.git("ls-tree", "-r", "-z", "--full-tree", revision).split(b"\0"):
            if not line:
                continue
            about, path = line.split(b"\t", 1)
            mode, kind, name = about.split()
            if kind != b"blob" or mode == b"120000":
                raise SystemExit(f"{revision} has `{path.decode()}`, which is not a file")
            found[path.decode()] = (mode == b"100755", self.git("cat-file", "blob", name.decode()))
        return found

    def project(self, name, managed):
        """A clone with the commit before the first phase checked out, and a plan."""
        place = self.folder / name
        quiet("clone", "--quiet", "--no-checkout", str(self.repository), str(place))
        quiet("-C", str(place), "checkout", "--quiet", "--detach", f"{FIRST}^")
        phases = "".join(
            PHASE.format(name=name, revision=revision) for name, revision in (("first", FIRST), ("second", SECOND))
        )
        words = ", ".join(json.dumps(path) for path in managed)
        (place / "switchback.toml").write_text(PLAN.format(managed=words, phases=phases), encoding="utf-8")
        return Project(self, place, managed)

    def expect(self, what, holds, why=""):
        print(f"  {'as it should be' if holds else 'DIFFERENT':<16} {what}", flush=True)
        if not holds:
            self.differences.append(f"{what}: {why}")
            print(f"    {why}"[:4000], flush=True)


class Project:
    """A project that phases go into and come out of."""

    def __init__(self, trial, place, managed):
        self.trial, self.place, self.managed = trial, place, managed
        self.excluded = self.exclusions()
        self.around = self.listing(outside=True)

    def exclusions(self):
        return (self.place / EXCLUSIONS).read_text(encoding="utf-8").splitlines()

    def run(self, line, allowed=(0,)):
        done = subprocess.run(
            [self.trial.program, *line.split()], cwd=self.place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace",
        )
        print(f"$ switchback {line}   [exit {done.returncode}]", flush=True)
        self.said = done.stdout
        if done.returncode not in allowed:
            self.trial.expect(f"exit code of `{line}`", False, f"{done.returncode}: {done.stdout[-3000:]}")
        self.look_around()
        return done.returncode

    def is_managed(self, path):
        return any(path == one or path.startswith(f"{one}/") for one in self.managed)

    def listing(self, outside=False):
        """Every entry, managed ones or all the others: path → kind, mode, owner, time, content."""
        found = {}
        waiting = [self.place]
        while waiting:
            folder = waiting.pop()
            for entry in os.scandir(folder):
                path = os.path.relpath(entry.path, self.place)
                # What it keeps for itself, and what stands beside a managed path while a run is open.
                beside = any(
                    os.path.dirname(path) == os.path.dirname(one)
                    and entry.name.startswith(f".{os.path.basename(one)}.sb-")
                    for one in self.managed
                )
                if path in (".switchback", EXCLUSIONS) or beside:
                    continue
                is_folder = entry.is_dir(follow_symlinks=False)
                if is_folder:
                    waiting.append(entry.path)
                if self.is_managed(path) == outside:
                    continue
                meta = entry.stat(follow_symlinks=False)
                content = None
                if entry.is_symlink():
                    content = os.readlink(entry.path).encode()
                elif not is_folder:
                    content = Path(entry.path).read_bytes()
                holds_managed = any(one.startswith(f"{path}/") for one in self.managed)
                time = None if holds_managed else meta.st_mtime_ns
                found[path] = (stat.filemode(meta.st_mode), meta.st_uid, meta.st_gid, time, content)
        return found

    def look_around(self):
        # What stands beside a managed path is to be kept out of commits; nothing else is told to git.
        added = self.exclusions()[len(self.excluded):]
        keeps = self.exclusions()[:len(self.excluded)] == self.excluded
        if not keeps or not all(".sb-" in line or ".switchback" in line or line.startswith("#") for line in added):
            self.trial.expect(EXCLUSIONS, False, repr(added))
        now = self.listing(outside=True)
        if now != self.around:
            self.trial.expect("what is not managed", False, differences(self.around, now))

    def files(self):
        """The managed files: path → (may be executed, content)."""
        return {
            path: ("x" in mode, content)
            for path, (mode, _, _, _, content) in self.listing().items() if not mode.startswith("d")
        }

    def is_tree(self, what, wanted):
        """Compares the managed files with those that should be there."""
        wanted = {path: file for path, file in wanted.items() if self.is_managed(path)}
        now = self.files()
        counted = self.trial.compared
        counted["trees"] += 1
        counted["files"] += len(wanted)
        counted["bytes"] += sum(len(content) for _, content in wanted.values())
        digest = hashlib.sha256(repr(sorted(wanted.items())).encode()).hexdigest()[:12]
        self.trial.expect(f"{what}: {len(wanted)} files, {digest}", now == wanted, differences(wanted, now))

    def is_listing(self, what, wanted):
        """Compares everything that is managed, folders, modes, owners and times included."""
        now = self.listing()
        self.trial.expect(f"{what}: {len(wanted)} entries with mode, owner and time", now == wanted, differences(wanted, now))


def differences(wanted, now):
    lines = [f"missing: {path}" for path in sorted(wanted.keys() - now.keys())]
    lines += [f"too much: {path}" for path in sorted(now.keys() - wanted.keys())]
    for path in sorted(wanted.keys() & now.keys()):
        if wanted[path] != now[path]:
            pairs = zip(wanted[path], now[path])
            fields = [f"{str(old)[:60]} is {str(new)[:60]}" for old, new in pairs if old != new]
            lines.append(f"other: {path}: {'; '.join(fields)}")
    return "\n    ".join(lines[:20]) + (f"\n    and {len(lines) - 20} more" if len(lines) > 20 else "")


def quiet(*arguments):
    subprocess.run(["git", *arguments], check=True)


def mixed(old, new, folder):
    """What should be there when `folder` went back to `old`, and all else is `new`."""
    below = lambda path: path == folder or path.startswith(f"{folder}/")
    found = {path: file for path, file in new.items() if not below(path)}
    found.update({path: file for path, file in old.items() if below(path)})
    return found


def whole(trial):
    print("== whole: one phase, then both", flush=True)
    start, first, second = trial.commits.values()
    project = trial.project("whole", MANAGED)
    project.is_tree("the start", start)
    untouched = project.listing()
    project.run("run --phase first")
    project.is_tree("the first phase", first)
    after_first = project.listing()
    project.run("run --phase second")
    project.is_tree("the second phase", second)
    project.run("rollback")
    project.is_tree("one rolled back", first)
    project.is_listing("one rolled back", after_first)
    project.run("rollback --phase first")
    project.is_tree("the other rolled back", start)
    project.is_listing("the other rolled back", untouched)
    project.run("run --phase first")
    project.run("run --phase second")
    project.is_tree("both again", second)
    project.run("rollback --phase first")
    project.is_tree("both rolled back at once", start)
    project.is_listing("both rolled back at once", untouched)


def texts(project, files):
    return {name: content for name, (_, content) in files.items() if project.is_managed(name)}


def part(trial, project, path, old, new, known):
    """Takes a part back, when that may be, compares, and puts it in again."""
    to_be = mixed(old, new, path)
    missing = lost(known, texts(project, to_be), FOLDERS)
    code = project.run(f"rollback --only {path}", allowed=(0, 1))
    if code == 0:
        trial.expect(f"`{path}` may go back: Python imports all that it could", not missing, repr(missing))
        project.is_tree(f"`{path}` rolled back alone", to_be)
        return True
    trial.expect(f"`{path}` may not go back: {len(missing)} modules could not be imported", bool(missing), project.said)
    print("    " + project.said.strip().replace("\n", "\n    "), flush=True)
    for name, why in missing.items():
        print(f"    Python: {name}: {why}", flush=True)
    project.is_tree("nothing was written", new)
    return False


def parts(trial):
    print("== parts: below a path that was exchanged", flush=True)
    start, first, second = trial.commits.values()
    project = trial.project("parts", MANAGED)
    untouched = project.listing()
    for phase, old, new in (("first", start, first), ("second", first, second)):
        project.run(f"run --phase {phase}")
        project.is_tree(f"the {phase} phase", new)
        changed = {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)}
        folders = {str(Path(path).parent) for path in changed if path.startswith(("src/", "tests/"))}
        files = {path for path in changed if path.startswith(("src/", "tests/"))}
        known = [path for files in (old, new) for path in failing(texts(project, files), FOLDERS)]
        # What is exchanged by itself is looked at below.
        others = sorted((folders | files) - {"src/batch_processor", *MANAGED})
        for path in ["src/batch_processor", *others]:
            if part(trial, project, path, old, new, known):
                project.run("undo")
                project.is_tree(f"`{path}` in again", new)
    project.run("rollback --phase first")
    project.is_tree("both rolled back", start)
    project.is_listing("both rolled back", untouched)


def apart(trial):
    print("== apart: a path that was exchanged, by itself", flush=True)
    start, first, second = trial.commits.values()
    path = "src/batch_processor"
    project = trial.project("apart", APART)
    untouched = project.listing()
    project.run("run --phase first")
    project.is_tree("the first phase", first)
    after_first = project.listing()
    project.run("run --phase second")
    project.is_tree("the second phase", second)
    project.run(f"rollback --only {path}")
    project.is_tree(f"`{path}` rolled back alone", mixed(first, second, path))
    project.run("rollback")
    project.is_tree("the rest of the second phase rolled back", first)
    project.is_listing("the rest of the second phase rolled back", after_first)
    project.run(f"rollback --only {path}")
    project.is_tree(f"`{path}` of the first phase rolled back alone", mixed(start, first, path))
    project.run("rollback --phase first")
    project.is_tree("the rest of the first phase rolled back", start)
    project.is_listing("the rest of the first phase rolled back", untouched)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    repository, program, folder = (Path(argument).resolve() for argument in sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        sys.exit(f"`{folder}` is not empty: name a new folder")
    # Neither the settings of a person nor those of the machine change a byte of what is checked out.
    os.environ.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1", LC_ALL="C.UTF-8")
    trial = Trial(repository, str(program), folder)
    for one in (whole, parts, apart):
        one(trial)
    counted = trial.compared
    print(
        f"{counted['trees']} trees compared, {counted['files']} files, {counted['bytes']} bytes; "
        f"{len(trial.differences)} differences"
    )
    for difference in trial.differences:
        print(f"DIFFERENT: {difference.splitlines()[0]}")
    sys.exit(1 if trial.differences else 0)


if __name__ == "__main__":
    main()
