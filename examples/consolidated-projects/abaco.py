"""Consolidates the configuration of a public project, and compares what its own loaders read before and afterwards.

usage: abaco.py REPOSITORY SWITCHBACK FOLDER

REPOSITORY  a git directory of https://github.com/Arisofia/abaco-loans-analytics; it is only read
SWITCHBACK  the program
FOLDER      a new or empty folder; nothing outside of it is written

Ends with exit code 0 when every environment gets what it got, and with 1 when one does not.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

CONSOLIDATED = "3309055ef49522fc747ac3d6d6d92d1dc0b2da31"
BEFORE = CONSOLIDATED + "^"
ENVIRONMENTS = ["development", "staging", "production"]
# Where each fragment goes, as its authors put it where they kept it.
PLACES = {
    "config/pipeline.yml": None,
    "config/integrations/cascade.yaml": "integrations.cascade",
    "config/integrations/meta.yaml": "integrations.meta",
    "config/integrations/perplexity_comet.yaml": "integrations.perplexity_comet",
    "config/integrations/slack.yaml": "integrations.slack",
    "config/agents/specs/c_level_executive_agent.yaml": "agents.c_level_executive",
    "config/agents/specs/data_ingestion_transformation_agent.yaml": "agents.data_ingestion_transformation",
    "config/agents/specs/kpi_analytics_agent.yaml": "agents.kpi_analytics",
    "config/agents/specs/risk_agent.yaml": "agents.risk_analysis",
    "config/data_schemas/meta_insights.yaml": "data_schemas.meta_insights",
    "config/evaluation-thresholds.yml": "evaluation_thresholds",
    "config/kpis/kpi_definitions.yaml": "kpi_definitions",
    "config/kpi_definitions_unified.yml": "kpi_definitions_unified",
    "config/kpi_definitions.yml": "kpi_definitions_canonical",
    "config/missing_kpi_schemas.yml": "missing_kpi_schemas",
    "config/personas.yml": "personas",
    "config/pipelines/data_orchestration.yaml": "data_orchestration",
    "config/roles_and_outputs.yaml": "roles_and_outputs",
}
# Reads with the project's loaders; what they import and do not use need not be there.
READ = '''
import importlib.abc, importlib.machinery, json, sys, types
from pathlib import Path

class Absent(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})

class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        # Asked last, for what nothing else finds: the commit itself imports a module that it does not have.
        if name.split(".")[0] not in ("pandas", "numpy", "python", "polars", "requests", "supabase", "azure", "jsonschema"):
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)
    def create_module(self, spec):
        return Absent(spec.name)
    def exec_module(self, module):
        module.__path__ = []

sys.meta_path.append(Finder())
sys.path.insert(0, ".")
from python.pipeline.orchestrator import PipelineConfig
from python.pipeline.utils import load_yaml

def typed(value):
    if isinstance(value, dict):
        return {"map": [[typed(key), typed(item)] for key, item in value.items()]}
    if isinstance(value, list):
        return {"list": [typed(item) for item in value]}
    return {type(value).__name__: repr(value)}

wanted = sys.argv[1:]
if wanted == ["resolved"]:
    print(json.dumps(typed(PipelineConfig().config)))
else:
    print(json.dumps({path: typed(load_yaml(Path(path))) for path in wanted}))
'''


def run(command, folder, **variables):
    environment = {key: value for key, value in os.environ.items() if key != "PIPELINE_ENV"}
    finished = subprocess.run(
        command, cwd=folder, env={**environment, **variables}, capture_output=True, text=True, check=False
    )
    return finished.returncode, finished.stdout, finished.stderr


def lay_out(repository, revision, folder):
    folder.mkdir(parents=True)
    archive = subprocess.run(
        ["git", "-C", repository, "archive", revision, "config", "python", "src"], capture_output=True, check=False
    )
    if archive.returncode:
        archive = subprocess.run(
            ["git", "-C", repository, "archive", revision, "config", "python"], capture_output=True, check=True
        )
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)


def read(folder, *wanted, **variables):
    code, out, err = run([sys.executable, "-c", READ, *wanted], folder, **variables)
    if code:
        raise SystemExit(f"the project's own loader failed: {err.strip().splitlines()[-1]}")
    return json.loads(out)


def at(tree, place):
    for part in place.split("."):
        entries = {key["str"].strip("'\""): value for key, value in tree["map"]}
        if part not in entries:
            return None
        tree = entries[part]
    return tree


def as_set(tree):
    """The order of keys is no part of what a program gets."""
    if "map" in tree:
        return {"map": sorted(([as_set(key), as_set(item)] for key, item in tree["map"]), key=json.dumps)}
    if "list" in tree:
        return {"list": [as_set(item) for item in tree["list"]]}
    return tree


def count(tree):
    if "map" in tree and tree["map"]:
        return sum(count(item) for _, item in tree["map"])
    return 1


def rules(places):
    lines = ['placeholders = "colon"', f"environments = {json.dumps(ENVIRONMENTS)}"]
    for path, place in places.items():
        lines += ["", "[[fragment]]", f'path = "{path}"'] + ([f'at = "{place}"'] if place else [])
    return "\n".join(lines) + "\n"


def main(repository, program, folder):
    folder = Path(folder).absolute()
    program = Path(program).absolute()
    old, new, theirs = folder / "old", folder / "new", folder / "theirs"
    lay_out(repository, BEFORE, old)
    lay_out(repository, CONSOLIDATED, theirs)
    lay_out(repository, CONSOLIDATED, new)
    # Its files are the old ones, its loader is the one that came with the consolidation.
    subprocess.run(["rm", "-rf", new / "config"], check=True)
    subprocess.run(["cp", "-a", old / "config", new / "config"], check=True)
    (new / "layout.toml").write_text(rules(PLACES))
    (old / "layout.toml").write_text(rules(PLACES))

    merge = [program, "-C", new, "config", "merge", "--rules", "layout.toml", "--master", "config/pipeline.yml",
             "--environments", "config/environments/{name}.yml", "--json"]
    fragments = read(old, *(path for path in PLACES if path != "config/pipeline.yml"))
    before = {environment: read(old, "resolved", PIPELINE_ENV=environment) for environment in ENVIRONMENTS}
    code, out, err = run([*merge, "--write", "--allow-dirty"], new)
    document = json.loads(out)
    print(f"merge: {document['verdict']}; {len(PLACES)} fragments, {len(document['keys'])} keys, "
          f"{len(document['conflicts'])} conflicts, {len(document['duplicates'])} duplicates, "
          f"{len(document['secrets'])} secrets, {document['comments_lost']} comments lost")
    if code:
        print(err)
        return 1
    failed = 0
    for environment in ENVIRONMENTS:
        after = read(new, "resolved", PIPELINE_ENV=environment)
        wanted = {place: fragments[path] for path, place in PLACES.items() if place}
        different = [place for place, tree in wanted.items() if as_set(at(after, place) or {}) != as_set(tree)]
        own = {key["str"].strip("'\"") for key, _ in before[environment]["map"]}
        for name in own:
            if as_set(at(after, name) or {}) != as_set(at(before[environment], name)):
                different.append(name)
        extra = [key["str"] for key, _ in after["map"]
                 if key["str"].strip("'\"") not in own | {place.split(".")[0] for place in wanted}]
        keys = sum(count(tree) for tree in wanted.values()) + count(before[environment])
        print(f"{environment}: {keys} values by the project's own loaders, {len(different)} different, {len(extra)} extra")
        for place in different:
            print(f"  different: {place}")
        failed += len(different) + len(extra)

    # The KPIs as one: what the three files really say of each other.
    one = dict(PLACES)
    for path in ("config/kpis/kpi_definitions.yaml", "config/kpi_definitions_unified.yml", "config/kpi_definitions.yml"):
        one[path] = "kpi_definitions"
    one["config/missing_kpi_schemas.yml"] = "kpi_definitions"
    (old / "kpis.toml").write_text(rules(one))
    _, out, _ = run([program, "-C", old, "config", "merge", "--rules", "kpis.toml", "--master", "m.yml",
                     "--environments", "e/{name}.yml", "--json"], old)
    kpis = json.loads(out)
    print(f"the KPIs in one place: {kpis['verdict']}; {len(kpis['conflicts'])} conflicts, {len(kpis['duplicates'])} duplicates")
    (folder / "kpis.json").write_text(json.dumps(kpis, indent=1))

    (folder / "merge.json").write_text(json.dumps(document, indent=1))
    for environment in ENVIRONMENTS:
        # Layouts name their files from the project's folder: each side is resolved where it stands.
        sides = {}
        for name, path in (("old", "layout.toml"), ("theirs", "config/pipeline.yml")):
            arguments = ["--environment", environment] if name == "theirs" else []
            _, out, err = run([program, "-C", folder / name, "config", "resolve", path, "--keep-placeholders", "--json",
                               *arguments], folder)
            document = json.loads(out)
            sides[name] = {key["key"]: (key["type"], key["value"]) for key in document["keys"]}
        lost = sorted(set(sides["old"]) - set(sides["theirs"]))
        added = sorted(set(sides["theirs"]) - set(sides["old"]))
        changed = sorted(key for key in set(sides["old"]) & set(sides["theirs"]) if sides["old"][key] != sides["theirs"][key])
        print(f"what the authors wrote, {environment}: {len(sides['old'])} keys before, {len(lost)} lost, {len(changed)} changed, "
              f"{len(added)} added")
        (folder / f"authors-{environment}.json").write_text(
            json.dumps({"lost": lost, "added": added,
                        "changed": {key: [sides["old"][key], sides["theirs"][key]] for key in changed}}, indent=1))
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
