"""One master file, overridden by the environment; placeholders are filled from the process's variables."""
import json
import os
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "config"
SELECTOR = "PIPELINE_ENV"
DEFAULT_ENVIRONMENT = "development"
PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


class ConfigurationError(Exception):
    """Settings that cannot be used: which file or place, and why."""


def load(environment=None, folder=FOLDER, variables=None):
    """The settings of an environment: the named one, else that of `PIPELINE_ENV`, else development.

    The result is the master with the members that the environment overrides, and with every `${NAME}` and
    `${NAME:-default}` filled in.
    """
    variables = os.environ if variables is None else variables
    name = environment or variables.get(SELECTOR) or DEFAULT_ENVIRONMENT
    known = sorted(path.stem for path in folder.joinpath("environments").glob("*.json"))
    if name not in known:
        raise ConfigurationError("`%s` is no environment; there are %s" % (name, ", ".join(known)))
    master = read(folder / "pipeline.json")
    override = read(folder / "environments" / (name + ".json"))
    settings = fill(merge(master, override, name), variables, "")
    settings["environment"] = name
    return settings


def read(path):
    """One file of settings."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError("%s: %s" % (path, error)) from error


def merge(master, override, place):
    """The master with what overrides it. What the master does not have cannot be overridden: it is a slip."""
    merged = dict(master)
    for name, value in override.items():
        inside = "%s/%s" % (place, name)
        if name not in master:
            raise ConfigurationError("`%s` overrides what the master does not have" % inside)
        both = isinstance(value, dict) and isinstance(master[name], dict)
        merged[name] = merge(master[name], value, inside) if both else value
    return merged


def fill(value, variables, place):
    """The value with all placeholders in its texts filled in."""
    if isinstance(value, dict):
        return {name: fill(inner, variables, "%s/%s" % (place, name)) for name, inner in value.items()}
    if isinstance(value, list):
        return [fill(inner, variables, "%s/%d" % (place, index)) for index, inner in enumerate(value)]
    if isinstance(value, str):
        return fill_text(value, variables, place)
    return value


def fill_text(text, variables, place="the text"):
    """A text with its placeholders filled in. One without a default has to be set."""

    def variable(found):
        name, default = found.groups()
        filled = variables.get(name) or default
        if filled is None:
            raise ConfigurationError("`%s` needs the variable %s, which is not set" % (place, name))
        return filled

    return PLACEHOLDER.sub(variable, text)
