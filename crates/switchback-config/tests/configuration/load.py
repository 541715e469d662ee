"""Reads a JSON list of YAML texts and prints what a loader makes of each, with types: `load.py pyyaml|ruamel`."""

import base64
import datetime
import json
import sys
import warnings


def typed(value):
    if value is None:
        return ["null"]
    if isinstance(value, bool):
        return ["boolean", value]
    if isinstance(value, int):
        return ["integer", str(value)]
    if isinstance(value, float):
        return ["float", value.hex() if value == value else "nan"]
    if isinstance(value, str):
        return ["text", value]
    if isinstance(value, bytes):
        return ["bytes", base64.b64encode(value).decode()]
    if isinstance(value, datetime.datetime):
        return ["timestamp", value.isoformat(timespec="microseconds")]
    if isinstance(value, datetime.date):
        return ["date", value.isoformat()]
    if isinstance(value, list):
        return ["list", [typed(item) for item in value]]
    if isinstance(value, dict):
        return ["map", [[typed(key), typed(item)] for key, item in value.items()]]
    return ["other", type(value).__name__]


def loader(name):
    if name == "pyyaml":
        import yaml

        return yaml.safe_load
    from ruamel.yaml import YAML

    return lambda text: YAML(typ="safe", pure=True).load(text)


warnings.simplefilter("ignore")
load = loader(sys.argv[1])
outcomes = []
for text in json.load(sys.stdin):
    try:
        outcomes.append({"value": typed(load(text))})
    except Exception as error:
        outcomes.append({"error": type(error).__name__})
json.dump(outcomes, sys.stdout)
