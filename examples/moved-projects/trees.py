"""Trees of files: fetched at a fixed commit or version, moved by Switchback, and compared byte by byte."""

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

LINE_END = re.compile(rb"\r\n|\r|\n")
PASSED_OVER = {".git", "__pycache__", ".switchback", ".pytest_cache", ".hypothesis"}


class Refuted(Exception):
    """Something that a move promises was found to be untrue."""


class Workplace:
    """A folder for what is fetched and moved, the program that moves, and where to fetch from."""

    def __init__(self, folder, program, mirrors=None):
        self.folder = Path(folder).resolve()
        self.program = str(Path(program).resolve())
        self.mirrors = Path(mirrors).resolve() if mirrors else None
        self.failures = []
        self.folder.mkdir(parents=True, exist_ok=True)

    def repository(self, name):
        """A git directory of `OWNER/NAME`: a mirror's where there is one, otherwise a clone without its blobs."""
        if self.mirrors:
            mirror = self.mirrors / name.replace("/", "+")
            for folder in (mirror / "repo", mirror):
                if (folder / "HEAD").is_file():
                    return folder
        clone = self.folder / "clones" / name.replace("/", "+")
        if not clone.exists():
            address = f"https://github.com/{name}"
            quiet(["git", "clone", "--quiet", "--bare", "--filter=blob:none", address, str(clone)])
        return clone

    def checkout(self, name, commit, into):
        """The files of a commit, without any git beside them, in a new folder."""
        place = self.fresh(into)
        git = ["git", f"--git-dir={self.repository(name)}", "archive", "--format=tar", commit]
        unpack(subprocess.run(git, check=True, stdout=subprocess.PIPE).stdout, place)
        return place

    def release(self, name, version, into):
        """The files of a source distribution, as the package index has them, in a new folder."""
        kept = self.folder / "releases"
        found = list(kept.glob(f"*-{version}.tar.gz"))
        found = [path for path in found if path.name.lower().replace("_", "-").startswith(name.lower())]
        if not found:
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            quiet([*pip, "--no-binary", ":all:", "--dest", str(kept), f"{name}=={version}"])
            return self.release(name, version, into)
        place = self.fresh(into)
        unpack(found[0].read_bytes(), place, skipped=1)
        return place

    def fresh(self, name):
        """A folder that holds nothing."""
        place = self.folder / name
        if place.exists():
            shutil.rmtree(place)
        place.mkdir(parents=True)
        return place

    def copy(self, tree, into):
        """A copy of a tree, links as links."""
        place = self.folder / into
        if place.exists():
            shutil.rmtree(place)
        shutil.copytree(tree, place, symlinks=True)
        return place

    def move(self, tree, pairs, roots=(), options=()):
        """Moves in place and returns what the program says of it; ends the trial when the proof does not hold."""
        words = [word for pair in pairs for word in pair]
        words += [word for root in roots for word in ("--source-root", root)]
        command = [self.program, str(tree), *words, *options, "--write", "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode not in (0, 1) or not done.stdout:
            told = done.stderr.decode(errors="replace")[-2000:]
            raise Refuted(f"{' '.join(command)}: exit code {done.returncode}: {told}")
        document = json.loads(done.stdout)
        if document["verdict"] != "yes":
            raise Refuted(f"{' '.join(command)}: {json.dumps(document['proof'])[:2000]}")
        return document


def quiet(command, **options):
    """Runs a command that must succeed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    if done.returncode != 0:
        raise Refuted(f"{' '.join(command)}: {done.stdout.decode(errors='replace')[-2000:]}")
    return done.stdout


def unpack(content, place, skipped=0):
    """Unpacks a tar archive below a folder, without its first `skipped` parts of each path."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        members = []
        for member in archive.getmembers():
            parts = Path(member.name).parts[skipped:]
            if parts and ".." not in parts and (member.isfile() or member.isdir() or member.issym()):
                member.name = str(Path(*parts))
                members.append(member)
        archive.extractall(place, members)


def files(tree):
    """The bytes of every file by its path; a link as where it leads to."""
    found = {}
    for folder, below, names in os.walk(tree):
        linked = [name for name in below if os.path.islink(os.path.join(folder, name))]
        below[:] = [name for name in below if name not in PASSED_OVER and name not in linked]
        for name in names + linked:
            place = os.path.join(folder, name)
            path = os.path.relpath(place, tree).replace(os.sep, "/")
            if os.path.islink(place):
                found[path] = b"link to " + os.fsencode(os.readlink(place))
            elif os.path.isfile(place):
                with open(place, "rb") as file:
                    found[path] = file.read()
    return found


def digest(content):
    """The hash by which contents are compared."""
    return hashlib.sha256(content).hexdigest()


def offset(content, line, column):
    """The offset of a line and a column, both counted from 1, the column in bytes."""
    starts = [0] + [end.end() for end in LINE_END.finditer(content)]
    return starts[line - 1] + column - 1


def edited(content, edits):
    """The content with every edit made where the report says it is; what the report says was there must be there."""
    places = []
    for order, edit in enumerate(edits):
        start = offset(content, edit["line"], edit["column"])
        old = edit["old"].encode("utf-8", "surrogateescape")
        if content[start : start + len(old)] != old and "\N{REPLACEMENT CHARACTER}" not in edit["old"]:
            raise Refuted(f"{edit['path']}:{edit['line']}:{edit['column']}: there is no `{edit['old']}`")
        places.append((start, order, start + len(old), edit["new"].encode()))
    places.sort()
    parts, at = [], 0
    for start, _, end, new in places:
        if start < at:
            raise Refuted(f"two edits of {edits[0]['path']} overlap")
        parts += [content[at:start], new]
        at = end
    return b"".join([*parts, content[at:]])


def compare(before, after, document):
    """Holds two trees against what the program says that it did; returns how many files were what."""
    moves = {move["from"]: move["to"] for move in document["moves"]}
    edits = {}
    for edit in document["edits"]:
        edits.setdefault(edit["path"], []).append(edit)
    counts = {"files": len(before), "moved": len(moves), "edited": len(edits), "identical": 0}
    expected = set(document["created"])
    for path, content in before.items():
        place = moves.get(path, path)
        expected.add(place)
        if place not in after:
            raise Refuted(f"{place} is gone")
        if path in edits:
            if digest(after[place]) != digest(edited(content, edits[path])):
                raise Refuted(f"{place} is not what its edits make of {path}")
        elif digest(after[place]) != digest(content):
            raise Refuted(f"{place} has no edit and is not {path}")
        else:
            counts["identical"] += 1
    if extra := sorted(set(after) - expected):
        raise Refuted(f"{extra[0]} came from nowhere")
    return counts


def without_reason(before, document):
    """Edited files which do not hold the last part of any name that moved, and are in no package that moved."""
    leaves = {Path(move["from"]).stem.encode() for move in document["moves"]}
    leaves |= {part.encode() for move in document["moves"] for part in Path(move["from"]).parts[:-1]}
    moved = {move["from"] for move in document["moves"]}
    paths = {edit["path"] for edit in document["edits"]} - moved
    return sorted(path for path in paths if not any(leaf in before[path] for leaf in leaves))


def compile_failures(tree, python=sys.executable):
    """Files that Python cannot compile, by their path."""
    command = [python, "-W", "ignore", "-m", "compileall", "-q", "-f", "."]
    cache = os.path.join(os.fspath(tree) + ".pycache")
    place = dict(os.environ, PYTHONPYCACHEPREFIX=cache)
    done = subprocess.run(command, cwd=tree, env=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    shutil.rmtree(cache, ignore_errors=True)
    told = done.stdout.decode(errors="replace")
    return set(re.findall(r"Error compiling '\./(.*)'\.\.\.", told))


def same_compile(old, new, document):
    """Every file that compiled compiles; returns how many did not, before and after."""
    moves = {move["from"]: move["to"] for move in document["moves"]}
    before = {moves.get(path, path) for path in compile_failures(old)}
    after = compile_failures(new)
    if broken := sorted(after - before):
        raise Refuted(f"{broken[0]} does not compile any more")
    return len(after)
