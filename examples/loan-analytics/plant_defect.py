"""Plants a defect in a candidate: one key figure of one segment becomes 0.3 % too large.

Which one follows from the seed. One line of the candidate's code is changed; no setting, no test and no other
table is. What was planted is printed as one line of JSON.
"""
import argparse
import json
import pathlib
import random
import sys

FACTOR = 1.003
SOURCE = pathlib.Path("pipeline", "calculation.py")
MASTER = pathlib.Path("config", "pipeline.json")
# The function whose rows go into the table, and into nothing else.
FUNCTION = "def segment_rows("
COLUMNS = (
    "par30",
    "par60",
    "par90",
    "collection_rate",
    "default_rate",
    "cure_rate",
    "average_rate",
    "average_days_past_due",
)


class PlantError(Exception):
    """The candidate is not what this program knows."""


def choose(seed, segments):
    """The segment and the column of a seed."""
    chance = random.Random(seed).random
    segment = segments[int(chance() * len(segments))]
    return segment, COLUMNS[int(chance() * len(COLUMNS))]


def plant(text, segment, column):
    """The source with the defect: the value of one column of one function is multiplied, in one segment."""
    start = text.find(FUNCTION)
    if start < 0:
        raise PlantError("%s has no `%s…)`" % (SOURCE, FUNCTION))
    end = text.find("\ndef ", start)
    end = len(text) if end < 0 else end
    if "if segment ==" in text[start:end]:
        raise PlantError("%s has a defect already" % SOURCE)
    lines = text[start:end].splitlines(keepends=True)
    found = [number for number, line in enumerate(lines) if line.strip().startswith('"%s": ' % column)]
    if len(found) != 1 or not lines[found[0]].endswith("),\n"):
        raise PlantError("%s: `%s…)` has no line that is `\"%s\": …(…),`" % (SOURCE, FUNCTION, column))
    name, value = lines[found[0]][: -len(",\n")].split(": ", 1)
    # Elsewhere the value stays what it is: it is nothing where a segment has no loan.
    wrong = '%s * %r if segment == "%s" else %s' % (value, FACTOR, segment, value)
    lines[found[0]] = "%s: %s,\n" % (name, wrong)
    return text[:start] + "".join(lines) + text[end:]


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, required=True, help="the same seed plants the same defect")
    parser.add_argument("candidate", type=pathlib.Path, help="the folder of the candidate, which is changed")
    options = parser.parse_args(arguments)
    source = options.candidate / SOURCE
    try:
        segments = sorted(json.loads((options.candidate / MASTER).read_text(encoding="utf-8"))["segments"])
        segment, column = choose(options.seed, segments)
        text = plant(source.read_text(encoding="utf-8"), segment, column)
        source.write_text(text, encoding="utf-8")
    except (OSError, ValueError, KeyError, PlantError) as error:
        print("error: could not plant a defect in `%s`: %s" % (options.candidate, error), file=sys.stderr)
        return 1
    row = {"segment": segment}
    planted = {"table": "segment_kpis.csv", "row": row, "column": column, "factor": FACTOR}
    print(json.dumps(planted))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
