"""Puts `switchback compare` to the test on the baselines of a public project, and recomputes what it says with pandas.

usage: check.py CHECKOUT SWITCHBACK

CHECKOUT    a checkout of https://github.com/brandonmbehring-dev/annuity-price-elasticity-v3
SWITCHBACK  the program

Ends with exit code 0 when every statement of Switchback was found to be true, and with 1 at the first that is not.
"""

import json
import math
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

PROVED_WITHOUT_BYTES = {"chunks", "lockstep", "join", "multiset"}
checked = 0


def expect(what, found, expected):
    """Ends the program when Switchback says something else than pandas."""
    global checked
    checked += 1
    if found != expected:
        sys.exit(f"NOT TRUE: {what}: Switchback says {found!r}, recomputed {expected!r}")


class Program:
    def __init__(self, path):
        self.path = path

    def compare(self, old, new, *options):
        command = [self.path, "compare", old, new, "--json", *options]
        ended = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        if ended.returncode == 2:
            sys.exit(f"no verdict: {' '.join(map(str, command))}\n{ended.stderr}")
        report = json.loads(ended.stdout)
        expect("exit code", ended.returncode, {"yes": 0, "no": 1}[report["verdict"]])
        return report


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def is_flat(table):
    return not any(pa.types.is_nested(field.type) for field in table.schema)


def same(one, two):
    """Whether each pair of cells holds one value: NaN is NaN, null is null, and NaN is not null."""
    if len(one) == 0:
        return np.zeros(0, dtype=bool)
    nulls = (one.is_null(nan_is_null=False), two.is_null(nan_is_null=False))
    null = [np.asarray(side.to_numpy(zero_copy_only=False), dtype=bool) for side in nulls]
    if pa.types.is_floating(one.type):
        left, right = (side.to_numpy(zero_copy_only=False).astype(float) for side in (one, two))
        equal = (left == right) | (np.isnan(left) & np.isnan(right))
    else:
        left, right = (np.array(side.to_pylist(), dtype=object) for side in (one, two))
        equal = left == right
    return np.where(null[0] | null[1], null[0] & null[1], equal)


def recompute_columns(old, new, rows):
    """What `columns` of the report must say for two tables whose rows are matched by position."""
    found, different_rows = {}, np.zeros(rows, dtype=bool)
    for name in old.schema.names:
        if name not in new.schema.names:
            continue
        one, two = (table.column(name).combine_chunks().slice(0, rows) for table in (old, new))
        equal = same(one, two)
        different_rows |= ~equal
        null = [np.asarray(side.is_null(nan_is_null=False).to_numpy(zero_copy_only=False)) for side in (one, two)]
        cells = {"cells_different": int((~equal).sum()), "null_mismatches": int((null[0] != null[1]).sum())}
        if pa.types.is_floating(one.type) and cells["cells_different"]:
            left, right = (side.to_numpy(zero_copy_only=False).astype(float) for side in (one, two))
            pairs = pd.DataFrame({"old": left, "new": right})
            pairs = pairs[np.isfinite(pairs).all(axis="columns")]
            gap, largest = (pairs["old"] - pairs["new"]).abs(), pairs.abs().max(axis="columns")
            cells["max_absolute"] = float(gap.max()) if len(gap) else 0.0
            cells["max_relative"] = float((gap / largest).fillna(0.0).max()) if len(gap) else 0.0
        if cells["cells_different"]:
            found[name] = cells
    return found, int(different_rows.sum())


def check_table(item, old, new):
    """Every count that Switchback names for two tables without a key."""
    what, rows = item["name"], min(old.num_rows, new.num_rows)
    expect(f"{what}: old", item["old"], {"rows": old.num_rows, "columns": old.num_columns})
    expect(f"{what}: new", item["new"], {"rows": new.num_rows, "columns": new.num_columns})
    names = (old.schema.names, new.schema.names)
    expect(f"{what}: columns_only_old", item["columns_only_old"], [n for n in names[0] if n not in names[1]])
    expect(f"{what}: columns_only_new", item["columns_only_new"], [n for n in names[1] if n not in names[0]])
    columns, different = recompute_columns(old, new, rows)
    counts = {
        "compared": rows,
        "equal": rows - different,
        "different": different,
        "only_old": old.num_rows - rows,
        "only_new": new.num_rows - rows,
        "duplicate_keys_old": 0,
        "duplicate_keys_new": 0,
    }
    expect(f"{what}: rows", item["rows"], counts)
    said = {column["name"]: column for column in item["columns"] if column["cells_different"]}
    expect(f"{what}: differing columns", sorted(said), sorted(columns))
    for name, cells in columns.items():
        for member in ("cells_different", "null_mismatches"):
            expect(f"{what}: {name}: {member}", said[name][member], cells[member])
        for member in ("max_absolute", "max_relative"):
            close = member not in cells or math.isclose(said[name][member], cells[member], rel_tol=1e-12)
            expect(f"{what}: {name}: {member} is {said[name].get(member)}", close, True)


def differing_places(old, new, path=""):
    """The JSON pointers at which two documents part; a member that only one side has is one place."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            place = f"{path}/{name.replace('~', '~0').replace('/', '~1')}"
            if name in old and name in new:
                yield from differing_places(old[name], new[name], place)
            else:
                yield place
    elif isinstance(old, list) and isinstance(new, list):
        for at in range(max(len(old), len(new))):
            if at < min(len(old), len(new)):
                yield from differing_places(old[at], new[at], f"{path}/{at}")
            else:
                yield f"{path}/{at}"
    elif old != new:
        yield path


def check_item(item, old, new):
    if item["name"].endswith(".parquet"):
        check_table(item, pq.read_table(old), pq.read_table(new))
    elif item["name"].endswith(".json"):
        places = sorted(differing_places(json.loads(old.read_text()), json.loads(new.read_text())))
        expect(f"{item['name']}: differences_total", item["differences_total"], len(places))
        said = [difference["path"] for difference in item["differences"]]
        expect(f"{item['name']}: a difference that is none", sorted(set(said) - set(places)), [])
        expect(f"{item['name']}: verdict", item["verdict"], "no" if places else "yes")
    else:
        expect(f"{item['name']}: verdict", item["verdict"], "yes" if old.read_bytes() == new.read_bytes() else "no")


def check_folders(program, old, new):
    """Compares two folders, and recomputes every count of the report."""
    report = program.compare(old, new)
    names = files_in(old), files_in(new)
    expect("only_old", report["only_old"], sorted(names[0] - names[1]))
    expect("only_new", report["only_new"], sorted(names[1] - names[0]))
    expect("items", sorted(item["name"] for item in report["items"]), sorted(names[0] & names[1]))
    for item in report["items"]:
        check_item(item, old / item["name"], new / item["name"])
    differs = sum(item["verdict"] == "no" for item in report["items"])
    expect("verdict", report["verdict"], "no" if differs or names[0] != names[1] else "yes")
    print(f"  {len(report['items'])} files, {differs} differ; {len(report['only_old'])} and {len(report['only_new'])} on one side only")
    return report


def rewrite(old, new):
    """The same tables by another writer, with other row groups, pages and compression."""
    shutil.copytree(old, new)
    tables = 0
    for path in new.rglob("*.parquet"):
        table = pq.read_table(path)
        pq.write_table(
            table,
            path,
            row_group_size=max(1, table.num_rows // 3),
            compression="zstd",
            use_dictionary=False,
            data_page_version="2.0",
            version="2.6",
        )
        tables += 1
    return tables


def check_rewritten(program, baselines, work):
    tables = rewrite(baselines, work / "rewritten")
    report = check_folders(program, baselines, work / "rewritten")
    expect("rewritten: verdict", report["verdict"], "yes")
    proofs = [item["proof"] for item in report["items"] if item["name"].endswith(".parquet")]
    expect("rewritten: tables", len(proofs), tables)
    expect("rewritten: proofs other than bytes", sorted(set(proofs) - PROVED_WITHOUT_BYTES), [])
    counts = {proof: proofs.count(proof) for proof in sorted(set(proofs))}
    print(f"  {tables} tables rewritten: equal; proofs {counts}")


def check_changed(program, path, work):
    """One value of every table changed in its thirteenth digit."""
    table, changed = pq.read_table(path), work / "changed.parquet"
    for at, field in enumerate(table.schema):
        if not pa.types.is_float64(field.type):
            continue
        values = table.column(at).to_numpy(zero_copy_only=False).copy()
        rows = np.flatnonzero(np.isfinite(values) & (np.abs(values) > 1e-200))
        if len(rows) == 0:
            continue
        row = int(rows[len(rows) // 2])
        value = float(values[row])
        values[row] = value * (1 + 4e-13)
        mask = np.asarray(table.column(at).combine_chunks().is_null(nan_is_null=False).to_numpy(zero_copy_only=False))
        pq.write_table(table.set_column(at, field, pa.array(values, mask=mask)), changed)
        report = program.compare(path, changed)
        item = report["items"][0]
        cells = [(column["name"], column["cells_different"]) for column in item["columns"]]
        expect(f"{path.name}: changed cells", cells, [(field.name, 1)])
        place = (item["first"]["row_old"], item["first"]["column"], item["first"]["old"], item["first"]["new"])
        expect(f"{path.name}: first", place, (row, field.name, value, float(values[row])))
        tolerant = program.compare(path, changed, "--relative", "1e-12")
        expect(f"{path.name}: within 1e-12", tolerant["verdict"], "yes")
        expect(f"{path.name}: relation", tolerant["items"][0]["relation"], "tolerance")
        return True
    return False


def key_of(table):
    """A column that tells all rows apart."""
    for field in table.schema:
        if not pa.types.is_floating(field.type) and not pa.types.is_nested(field.type):
            column = table.column(field.name)
            if column.null_count == 0 and len(column.unique()) == table.num_rows:
                return field.name
    return None


def check_shuffled(program, path, work):
    table, shuffled = pq.read_table(path), work / "shuffled.parquet"
    key = key_of(table)
    if key is None or table.num_rows < 2 or "," in key:
        return False
    order = np.random.default_rng(20260101).permutation(table.num_rows)
    if (order == np.arange(table.num_rows)).all():
        order = order[::-1]
    pq.write_table(table.take(pa.array(order)), shuffled, row_group_size=max(1, table.num_rows // 2))
    report = program.compare(path, shuffled, "--key", key)
    expect(f"{path.name}: shuffled under `{key}`", report["verdict"], "yes")
    expect(f"{path.name}: shuffled, equal rows", report["items"][0]["rows"]["equal"], table.num_rows)
    check_table(program.compare(path, shuffled)["items"][0], table, pq.read_table(shuffled))
    return True


def check_dropped(program, path, work):
    table, dropped = pq.read_table(path), work / "dropped.parquet"
    if table.num_columns < 2:
        return False
    name = table.schema.names[table.num_columns // 2]
    pq.write_table(table.drop_columns([name]), dropped)
    report = program.compare(path, dropped)
    expect(f"{path.name}: without `{name}`", report["verdict"], "no")
    expect(f"{path.name}: columns_only_old", report["items"][0]["columns_only_old"], [name])
    common = program.compare(path, dropped, "--schema", "common")
    expect(f"{path.name}: in common", common["verdict"], "yes")
    return True


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    baselines, program = Path(sys.argv[1]) / "tests" / "baselines", Program(sys.argv[2])
    if not baselines.is_dir():
        sys.exit(f"`{baselines}` is no folder")
    flat = [path for path in sorted(baselines.rglob("*.parquet")) if is_flat(pq.read_table(path))]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        print("the baselines, and the same by another writer")
        check_rewritten(program, baselines, work)
        for name, check in (
            ("one value changed in the 13th digit", check_changed),
            ("shuffled rows under a key", check_shuffled),
            ("a dropped column", check_dropped),
        ):
            print(f"{name}: {sum(check(program, path, work) for path in flat)} tables")
        notebooks = baselines / "notebooks"
        print("rila_6y20b and rila_1y10b")
        check_folders(program, notebooks / "rila_6y20b", notebooks / "rila_1y10b")
        print("tables of one shape that differ")
        pairs = 0
        for one in sorted((notebooks / "rila_6y20b").rglob("*.parquet")):
            for two in sorted((notebooks / "rila_6y20b").rglob("*.parquet")):
                left, right = pq.read_table(one), pq.read_table(two)
                if one < two and left.schema.equals(right.schema) and not left.equals(right):
                    check_table(program.compare(one, two)["items"][0], left, right)
                    pairs += 1
        print(f"  {pairs} pairs")
    print(f"true: {checked} statements, recomputed with pandas {pd.__version__} and pyarrow {pa.__version__}")


main()
