"""Plants a wrong decision: days are counted, whether in a row or not. All tests pass; the results differ.

    python3 plant_decision.py trial/project/merge-decisions.toml
"""
import sys

RIGHT = 'definition = "confirm"\ntake = "file"\nfile = "decisions/strategy.confirm.txt"\n'
WRONG = 'definition = "confirm"\ntake = "target"\n'


def main(arguments):
    """Writes the file anew."""
    if len(arguments) != 1:
        print("usage: plant_decision.py DECISIONS", file=sys.stderr)
        return 2
    with open(arguments[0], encoding="utf-8") as file:
        text = file.read()
    if text.count(RIGHT) != 1:
        print("error: %s does not have the decision on `confirm`" % arguments[0], file=sys.stderr)
        return 2
    with open(arguments[0], "w", encoding="utf-8") as file:
        file.write(text.replace(RIGHT, WRONG))
    print("`confirm` is the target's now")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
