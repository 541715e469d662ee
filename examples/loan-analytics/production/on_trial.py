"""Makes the plan of production one that can be walked through in minutes.

Hours become seconds, a cutover may happen at any time, and the public keys of the approvers become those in a folder: for
an approver called Ana the file `ana.pub`. Nothing else is changed, and what is changed is printed.
"""
import argparse
import pathlib
import re
import sys

# What stands in the plan, and what takes its place. What the plan does not have is a mistake.
SHORTER = {
    '"every 1h for 24h"': '"every 5s for 40s"',
    '"+1h"': '"+8s"',
    '"+4h"': '"+16s"',
    '"+24h"': '"+40s"',
    '"+7d"': '"+90s"',
    '\nfor = "24h"': '\nfor = "6s"',
    "settle_s = 60": "settle_s = 0",
    'from = "2026-01-12T02:00:00+00:00"\nminutes = 60\nevery = "1d"\n': "",
}
APPROVER = re.compile(r'(\[\[approver\]\]\nname = "(\w+)"\n(?:.*\n)*?keys = \[)"[^"]*"')


class TrialError(Exception):
    """The plan, or a key, is not what this program knows."""


def shorten(text):
    """The plan with seconds instead of hours."""
    for long, short in SHORTER.items():
        count = text.count(long)
        if not count:
            raise TrialError("the plan has no `%s`" % " ".join(long.split()))
        text = text.replace(long, short)
        print("%s -> %s (%d)" % (" ".join(long.split()), short.strip() or "nothing", count))
    return text


def appoint(text, keys):
    """The plan with the public keys of a folder."""

    def key(found):
        path = keys / (found.group(2).lower() + ".pub")
        print("the key of %s -> %s" % (found.group(2), path))
        return '%s"%s"' % (found.group(1), path.read_text(encoding="ascii").strip())

    text, count = APPROVER.subn(key, text)
    if not count:
        raise TrialError("the plan has no `[[approver]]`")
    return text


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keys", type=pathlib.Path, required=True, help="the folder of the public keys")
    parser.add_argument("plan", type=pathlib.Path, help="the plan, which is changed")
    options = parser.parse_args(arguments)
    try:
        text = appoint(shorten(options.plan.read_text(encoding="utf-8")), options.keys)
        options.plan.write_text(text, encoding="utf-8")
    except (OSError, TrialError) as error:
        print("error: could not change `%s`: %s" % (options.plan, error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
