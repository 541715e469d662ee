"""What is installed where this runs, and what of the requirement files (the arguments) does not hold. One line of JSON.

pip's own parser and its own rules of versions decide, as they are in this environment.
"""
import json
import platform
import re
import sys
from importlib import metadata

found = {"python": platform.python_version(), "installed": {}, "against": [], "unjudged": [], "unknown": None}


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


for distribution in metadata.distributions():
    name = distribution.metadata["Name"]
    if name:
        found["installed"].setdefault(plain(name), distribution.version)


def judge(requirement, place, extra, must):
    if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
        return
    asked = str(requirement).split(";")[0].strip()
    there = found["installed"].get(plain(requirement.name))
    if there is None:
        if must:
            found["against"].append("`%s` is not installed, and %s asks for it" % (asked, place))
        return
    if not requirement.specifier.contains(there, prereleases=True):
        found["against"].append("%s is %s, and %s asks for `%s`" % (requirement.name, there, place, asked))
    for extra in sorted(requirement.extras):
        for text in metadata.requires(requirement.name) or []:
            more = Requirement(text)
            # What is needed without the extra as well is `pip check`'s to judge.
            if more.marker and not more.marker.evaluate({"extra": ""}):
                judge(more, "`%s`" % asked, extra, True)


def judge_file(file):
    for line in parse_requirements(file, session=PipSession()):
        if line.is_editable:
            found["unjudged"].append(line.requirement)
            continue
        try:
            requirement = Requirement(line.requirement)
        except InvalidRequirement:
            # A path or an address names no version; what is neither is a line that nobody understands.
            if "/" not in line.requirement and not line.requirement.startswith("."):
                raise
            found["unjudged"].append(line.requirement)
            continue
        judge(requirement, "`%s`" % file, "", not line.constraint)


if sys.argv[1:]:
    try:
        try:
            from pip._internal.network.session import PipSession
        except ImportError:
            from pip._internal.download import PipSession
        from pip._internal.req.req_file import parse_requirements
        from pip._vendor.packaging.requirements import InvalidRequirement, Requirement

        for file in sys.argv[1:]:
            judge_file(file)
    except ImportError as error:
        found["unknown"] = "there is no pip in it that could judge versions (%s)" % error
    except Exception as error:
        found["unknown"] = "%s: %s: %s" % (file, type(error).__name__, str(error).replace("\n", " "))
print(json.dumps(found))
