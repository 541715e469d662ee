"""The workforce of a company, year by year. Everything is in this one file: configuration, years, events, registry,
checkpoints, database, results.

    python3 -m planner.simulation --config config/base.json --start 2025 --end 2027 --out DIR

The database is one of SQLite, or of DuckDB when PLANNER_DATABASE says `duckdb` and its driver is there.
"""

import argparse
import contextlib
import csv
import hashlib
import json
import os
import sqlite3
import sys

TABLES = {
    "events": ["year", "number", "employee", "kind", "amount"],
    "workforce": ["year", "employee", "level", "salary", "enrolled", "deferral"],
    "registry": ["employee", "hired", "left_in", "enrolled_in"],
    "summary": ["year", "headcount", "payroll", "participation", "deferrals"],
}
# Of each column the type, too: DuckDB wants one.
TYPES = {"employee": "TEXT", "kind": "TEXT"}
TYPES.update(dict.fromkeys(["amount", "salary", "deferral", "payroll", "participation", "deferrals"], "DOUBLE"))
RATES = ["termination_rate", "promotion_rate", "enrollment_rate", "merit_rate"]


def chance(seed, year, employee, what):
    """A number from 0 to 1 that only depends on what it is for."""
    digest = hashlib.sha256(f"{seed}|{year}|{employee}|{what}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def load_config(path):
    try:
        with open(path) as file:
            config = json.load(file)
    except OSError as error:
        sys.exit(f"error: the configuration {os.path.basename(path)} cannot be read: {error.strerror}")
    except ValueError:
        sys.exit(f"error: the configuration {os.path.basename(path)} is no JSON")
    for name in ["seed", "census", "target_growth_rate"] + RATES:
        if name not in config:
            sys.exit(f"error: the configuration {os.path.basename(path)} lacks {name}")
    return config


def check(config, start, end):
    for name in RATES:
        if not 0 <= config[name] <= 1:
            sys.exit(f"error: {name} must be between 0 and 1, not {config[name]}")
    if not -0.5 <= config["target_growth_rate"] <= 0.5:
        sys.exit(f"error: target_growth_rate must be between -0.5 and 0.5, not {config['target_growth_rate']}")
    if end < start:
        sys.exit(f"error: the last year, {end}, is before the first one, {start}")


def load_census(path, start):
    workforce, registry = {}, {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            enrolled = row["enrolled"] == "yes"
            workforce[row["employee"]] = [int(row["level"]), float(row["salary"]), enrolled, float(row["deferral"])]
            registry[row["employee"]] = [start - 1, None, start - 1 if enrolled else None]
    return workforce, registry


def simulate_year(config, year, workforce, registry, target):
    """Changes workforce and registry, and returns what happened, in order."""
    events, seed = [], config["seed"]

    def happened(employee, kind, amount):
        events.append([year, len(events) + 1, employee, kind, amount])

    for employee in sorted(workforce):
        if chance(seed, year, employee, "leaves") < config["termination_rate"]:
            happened(employee, "termination", workforce[employee][1])
            del workforce[employee]
            registry[employee][1] = year
    for employee in sorted(workforce):
        person = workforce[employee]
        if person[0] < 5 and chance(seed, year, employee, "promoted") < config["promotion_rate"]:
            person[0] += 1
            person[1] = round(person[1] * 1.08, 2)
            happened(employee, "promotion", person[1])
        person[1] = round(person[1] * (1 + config["merit_rate"]), 2)
        happened(employee, "raise", person[1])
    number = 0
    while len(workforce) < target:
        number += 1
        employee = f"E{year}-{number:04}"
        level = 1 + int(chance(seed, year, employee, "level") * 3)
        workforce[employee] = [level, round(40000 * 1.25**level, 2), False, 0.0]
        registry[employee] = [year, None, None]
        happened(employee, "hire", workforce[employee][1])
    for employee in sorted(workforce):
        person = workforce[employee]
        if not person[2] and chance(seed, year, employee, "enrolled") < config["enrollment_rate"]:
            person[2], person[3] = True, 0.03
            registry[employee][2] = year
            happened(employee, "enrollment", person[3])
        elif person[2] and person[3] < 0.1:
            person[3] = round(person[3] + 0.01, 2)
            happened(employee, "escalation", person[3])
    return events


def summarize(year, workforce):
    payroll = round(sum(person[1] for _, person in sorted(workforce.items())), 2)
    deferrals = round(sum(person[1] * person[3] for _, person in sorted(workforce.items())), 2)
    enrolled = sum(1 for person in workforce.values() if person[2])
    participation = enrolled / len(workforce) if workforce else 0.0
    return [year, len(workforce), payroll, participation, deferrals]


def open_database(path):
    if os.environ.get("PLANNER_DATABASE") == "duckdb":
        import duckdb

        database = duckdb.connect(path)
    else:
        # Transactions begin where it says so, as in DuckDB.
        database = sqlite3.connect(path, isolation_level=None)
    for table, columns in TABLES.items():
        typed = ", ".join(f"{column} {TYPES.get(column, 'INTEGER')}" for column in columns)
        database.execute(f"CREATE TABLE IF NOT EXISTS {table} ({typed})")
    return database


def insert(database, table, rows):
    marks = ", ".join("?" for _ in TABLES[table])
    if rows:
        database.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)


def save_year(database, year, events, workforce, registry, summary):
    database.execute("BEGIN TRANSACTION")
    for table in ("events", "workforce", "summary"):
        database.execute(f"DELETE FROM {table} WHERE year >= ?", [year])
    database.execute("DELETE FROM registry")
    insert(database, "events", events)
    insert(database, "workforce", [[year, employee, *person] for employee, person in sorted(workforce.items())])
    insert(database, "registry", [[employee, *entry] for employee, entry in sorted(registry.items())])
    insert(database, "summary", [summary])
    database.execute("COMMIT")


def write_results(database, folder):
    os.makedirs(folder, exist_ok=True)
    for table, columns in TABLES.items():
        with open(os.path.join(folder, f"{table}.csv"), "w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(columns)
            rows.writerows(database.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall())


def save_checkpoint(folder, year, workforce, registry, headcount):
    os.makedirs(folder, exist_ok=True)
    part = os.path.join(folder, "part")
    with open(part, "w") as file:
        json.dump({"year": year, "workforce": workforce, "registry": registry, "headcount": headcount}, file)
    os.replace(part, os.path.join(folder, f"year_{year}.json"))


def last_checkpoint(folder):
    names = sorted(name for name in os.listdir(folder) if name.startswith("year_")) if os.path.isdir(folder) else []
    if not names:
        return None
    with open(os.path.join(folder, names[-1])) as file:
        return json.load(file)


def simulate(config, start, end, out, stop_after=None, resume=False):
    check(config, start, end)
    folder = os.path.join(out, "checkpoints")
    state = last_checkpoint(folder) if resume else None
    if state:
        first, workforce, registry = state["year"] + 1, state["workforce"], state["registry"]
        headcount = state["headcount"]
    else:
        first = start
        workforce, registry = load_census(config["census"], start)
        headcount = len(workforce)
    with contextlib.closing(open_database(os.path.join(out, "simulation.db"))) as database:
        for year in range(first, end + 1):
            target = round(headcount * (1 + config["target_growth_rate"]) ** (year - start + 1))
            events = simulate_year(config, year, workforce, registry, target)
            save_year(database, year, events, workforce, registry, summarize(year, workforce))
            save_checkpoint(folder, year, workforce, registry, headcount)
            if year == stop_after:
                return None
        write_results(database, os.path.join(out, "results"))
        return [list(row) for row in database.execute("SELECT * FROM summary ORDER BY year").fetchall()]


def run_multi_year_simulation(start_year, end_year, config_path=None, out=".", **legacy):
    """What other programs call. `legacy` may hold `target_growth_rate`."""
    config = load_config(config_path or "config/base.json")
    if "target_growth_rate" in legacy:
        config["target_growth_rate"] = legacy["target_growth_rate"]
    summary = simulate(config, start_year, end_year, out)
    first, last = summary[0], summary[-1]
    return {
        "years_completed": list(range(start_year, end_year + 1)),
        "total_workforce_growth": last[1] / first[1] - 1,
        "final_workforce_size": last[1],
        "participation_rate": last[3],
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", required=True)
    parser.add_argument("--start", type=int, required=True)
    parser.add_argument("--end", type=int, required=True)
    parser.add_argument("--growth", type=float)
    parser.add_argument("--out", required=True)
    parser.add_argument("--stop-after", type=int)
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    config = load_config(options.config)
    if options.growth is not None:
        config["target_growth_rate"] = options.growth
    simulate(config, options.start, options.end, options.out, options.stop_after, options.resume)


if __name__ == "__main__":
    main()
