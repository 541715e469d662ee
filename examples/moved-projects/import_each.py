"""usage: import_each.py REPORT < NAMES: imports every module named, one after the other, and writes how each ended."""

import importlib
import json
import os
import sys
import types
import warnings

warnings.simplefilter("ignore")


def outcome(name):
    """Whether a module can be imported, and which names it has then; or what it failed with."""
    try:
        module = importlib.import_module(name)
    except BaseException as error:
        return {"failed": type(error).__name__, "told": str(error)}
    names = [key for key, value in vars(module).items() if not issubclass(type(value), types.ModuleType)]
    return {"names": sorted(names)}


def main():
    settings = json.loads(os.environ.get("DJANGO_APPS", "[]"))
    if settings:
        import django
        from django.conf import settings as django_settings

        engine = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
        django_settings.configure(INSTALLED_APPS=settings, DATABASES=engine, SECRET_KEY="none", USE_TZ=True)
        django.setup()
    report = {name: outcome(name) for name in sys.stdin.read().split()}
    with open(sys.argv[1], "w") as file:
        json.dump(report, file)
    # Threads and exit handlers of what was imported are no part of the trial.
    os._exit(0)


main()
