"""Every module of large projects is imported, before and after a move: the same failures, the same names."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from suites import environment, renamed
from trees import Refuted, compare, files, same_compile, without_reason

DJANGO_APPS = ["admin", "auth", "contenttypes", "flatpages", "humanize", "messages", "redirects"]
DJANGO_APPS += ["sessions", "sitemaps", "sites", "staticfiles", "syndication"]
IMPORT_SECONDS_MAX = 1800


@dataclass
class Project:
    """A project at a version, its package, and the moves that are tried on it; without a repository, its release."""

    name: str
    repository: str
    version: str
    package: str
    moves: list
    django_apps: list = field(default_factory=list)


PROJECTS = [
    Project(
        "Django",
        None,
        "5.1.4",
        "django",
        [
            [("django.utils", "django.support")],
            [("django.db.models.fields", "django.db.models.columns"), ("django.http", "django.web.http")],
            [("django.core.exceptions", "django.errors"), ("django.template.base", "django.template.engines.base")],
        ],
        [f"django.contrib.{app}" for app in DJANGO_APPS],
    ),
    Project(
        "sympy",
        "sympy/sympy",
        "sympy-1.13.3",
        "sympy",
        [
            [("sympy.core", "sympy.kernel")],
            [("sympy.matrices.dense", "sympy.matrices.forms.dense")],
        ],
    ),
    Project(
        "networkx",
        "networkx/networkx",
        "networkx-3.4.2",
        "networkx",
        [[("networkx.utils", "networkx.tools")], [("networkx.algorithms", "networkx.methods")]],
    ),
]


def names(tree, package):
    """The dotted names of the modules of a package, by path; scripts that act when imported are left out."""
    found = {}
    for path in sorted((tree / package).rglob("*.py")):
        parts = path.relative_to(tree).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        if parts[-1] == "__main__" or not all(part.isidentifier() for part in parts):
            continue
        found[str(path.relative_to(tree))] = ".".join(parts)
    return found


def look(workplace, tree, modules, apps, name):
    """How the import of each module ends."""
    report = workplace.folder / f"{name}.json"
    report.unlink(missing_ok=True)
    place = dict(os.environ, PYTHONPATH=str(tree), PYTHONDONTWRITEBYTECODE="1", PYTHONHASHSEED="0")
    place["DJANGO_APPS"] = json.dumps(apps)
    program = str(Path(__file__).resolve().parent / "import_each.py")
    command = [environment(workplace), program, str(report)]
    log = workplace.folder / f"{name}.log"
    with open(log, "wb") as out:
        text = "\n".join(modules).encode()
        subprocess.run(command, cwd=workplace.folder, env=place, input=text, stdout=out, stderr=out, timeout=IMPORT_SECONDS_MAX)
    if not report.exists():
        raise Refuted(f"{name}: the imports ended without a report: {log.read_text(errors='replace')[-1500:]}")
    return json.loads(report.read_text())


def trial(workplace, only=()):
    """Tries every project."""
    for project in PROJECTS:
        if only and project.name not in only:
            continue
        into = f"modules/{project.name}/old"
        if project.repository:
            old = workplace.checkout(project.repository, project.version, into)
        else:
            old = workplace.release(project.name, project.version, into)
        was = files(old)
        modules = names(old, project.package)
        before = look(workplace, old, modules.values(), project.django_apps, f"{project.name}-imports-before")
        failed = sum("failed" in outcome for outcome in before.values())
        print(f"{project.name} {project.version}: {len(before)} modules imported, {failed} of them fail", flush=True)
        for number, pairs in enumerate(project.moves, start=1):
            one_move(workplace, project, old, was, modules, before, number, pairs)


def one_move(workplace, project, old, was, modules, before, number, pairs):
    """Moves, compares every file with what was said, and every import with how it ended."""
    new = workplace.copy(old, f"modules/{project.name}/new{number}")
    document = workplace.move(new, pairs)
    counts = compare(was, files(new), document)
    if wrong := without_reason(was, document):
        raise Refuted(f"{project.name}: {wrong[0]} was edited and names nothing that moved")
    broken = same_compile(old, new, document)
    moves = {move["from"]: move["to"] for move in document["moves"]}
    here = {path: name for path, name in names(new, project.package).items()}
    places = {name: here[moves.get(path, path)] for path, name in modules.items()}
    apps = [renamed(app, pairs) for app in project.django_apps]
    after = look(workplace, new, list(places.values()), apps, f"{project.name}-imports-after{number}")
    other = []
    for name, outcome in before.items():
        was_told = json.loads(renamed(json.dumps(outcome), pairs))
        if was_told != after[places[name]]:
            other.append((name, was_told, after[places[name]]))
    told = ", ".join(f"{one} -> {two}" for one, two in pairs)
    print(
        f"  {told}: {counts['moved']} moved, {counts['edited']} edited, {counts['identical']} identical, {broken} not "
        f"compiling before and after; {len(other)} of {len(before)} modules with another outcome; "
        f"{len(document['undecided'])} listed",
        flush=True,
    )
    for name, one, two in other[:10]:
        print(f"    {name}: {difference(one, two)}", flush=True)
    if other:
        workplace.failures.append(f"{project.name}: {told}")


def difference(one, two):
    """What is different in two outcomes, in short."""
    if "names" in one and "names" in two:
        lost, new = sorted(set(one["names"]) - set(two["names"])), sorted(set(two["names"]) - set(one["names"]))
        return f"names lost {lost[:8]}, new {new[:8]}"
    return f"{str(one)[:200]} -> {str(two)[:200]}"
