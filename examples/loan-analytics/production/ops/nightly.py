"""What a scheduler starts every night: the pipeline, the rows of the warehouse, the compliance report and the log.

It is the same before and after the cutover: it starts whatever `run.py` is live. What it leaves beside the exports
(`exports/run.json`, `warehouse.sqlite`, `compliance/run.json`, `logs/nightly.log`) is what the plan watches.
"""
import contextlib
import datetime
import hashlib
import json
import os
import pathlib
import resource
import sqlite3
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TAPE = ROOT / "tape"
EXPORTS = ROOT / "exports"
WAREHOUSE = ROOT / "warehouse.sqlite"
# Who keeps the report, and for how long it must be kept.
OWNER, RETENTION_YEARS = "compliance", 10


def main():
    """One night; returns the exit code of the pipeline."""
    started = time.monotonic()
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
    environment.setdefault("PIPELINE_ENV", "production")
    command = [sys.executable, "run.py", "--data", "tape", "--out", "exports"]
    finished = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if finished.returncode:
        log("ERROR", "the pipeline ended with exit code %d: %s" % (finished.returncode, last_line(finished.stderr)))
        return finished.returncode
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    summary = json.loads((EXPORTS / "portfolio_summary.json").read_text(encoding="utf-8"))
    number = store(summary["kpis"])
    run = {
        "run": number,
        "ended": now(),
        "environment": environment["PIPELINE_ENV"],
        "seconds": round(time.monotonic() - started, 3),
        "processor_seconds": round(usage.ru_utime + usage.ru_stime, 3),
    }
    write(EXPORTS / "run.json", run)
    report = {
        "run": run,
        "owner": OWNER,
        "retention_years": RETENTION_YEARS,
        "inputs": {name: sha256(TAPE / name) for name in ("loans.csv", "payments.csv")},
        "quality": summary["quality"],
        "figures": summary["kpis"],
    }
    write(ROOT / "compliance" / "run.json", report)
    log("INFO", "run %d: %d figures, %.3f s" % (number, len(summary["kpis"]), run["seconds"]))
    return 0


def store(figures):
    """Adds the figures of this run to the warehouse, all of them or none; returns the number of the run."""
    with contextlib.closing(sqlite3.connect(WAREHOUSE)) as warehouse, warehouse:
        warehouse.execute("CREATE TABLE IF NOT EXISTS runs (run INTEGER PRIMARY KEY, ended TEXT NOT NULL)")
        warehouse.execute(
            "CREATE TABLE IF NOT EXISTS figures (run INTEGER NOT NULL, name TEXT NOT NULL, value REAL NOT NULL, "
            "PRIMARY KEY (run, name))"
        )
        number = warehouse.execute("INSERT INTO runs (ended) VALUES (?)", (now(),)).lastrowid
        rows = [(number, name, value) for name, value in sorted(figures.items())]
        warehouse.executemany("INSERT INTO figures VALUES (?, ?, ?)", rows)
    return number


def now():
    """The time in UTC, as text."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def sha256(path):
    """The hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write(path, document):
    """Writes a document beside its place and moves it there: nobody reads half of it."""
    path.parent.mkdir(exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    part.replace(path)


def log(level, words):
    """Adds a line to the log, and says it."""
    line = "%s %s %s" % (now(), level, words)
    folder = ROOT / "logs"
    folder.mkdir(exist_ok=True)
    with open(folder / "nightly.log", "a", encoding="utf-8") as file:
        file.write(line + "\n")
    print(line)


def last_line(text):
    """The last line that says something."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "without a word"


if __name__ == "__main__":
    sys.exit(main())
