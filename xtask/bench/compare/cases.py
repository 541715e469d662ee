"""python cases.py SCALE FOLDER CASES: lineitem of TPC-H at SCALE as `old.parquet`, and what it is compared with.

same       the same bytes
rewritten  the same rows in the same order by another writer: other row groups, zstd
changed    one row in a hundred with another price, discount or comment
shuffled   the same rows in another order
plain      the same rows by another writer, beside
column     `plain` by the same writer with another tax in every row
`truth.json` says what a comparison must find."""

import json
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy
import pyarrow
import pyarrow.compute as compute
import pyarrow.parquet as parquet

SEED = 7
ROWS_PER_GROUP = 1_000_000

scale, folder, cases = sys.argv[1], Path(sys.argv[2]), sys.argv[3].split(",")
folder.mkdir(parents=True, exist_ok=True)
generator = Path(sysconfig.get_path("scripts")) / "tpchgen-cli"
subprocess.run(
    [generator, "parquet", "--scale-factor", scale, "--tables", "lineitem", "--output-dir", folder], check=True
)
(folder / "lineitem.parquet").rename(folder / "old.parquet")
if "same" in cases:
    shutil.copyfile(folder / "old.parquet", folder / "same.parquet")


def write(table, name, compression="snappy"):
    parquet.write_table(table, folder / f"{name}.parquet", row_group_size=ROWS_PER_GROUP, compression=compression)


old = parquet.read_table(folder / "old.parquet")
# Few functions know string views yet.
is_view = pyarrow.types.is_string_view
fields = [field.with_type(pyarrow.string()) if is_view(field.type) else field for field in old.schema]
old = old.cast(pyarrow.schema(fields))
random = numpy.random.default_rng(SEED)
if "rewritten" in cases:
    write(old, "rewritten", "zstd")

is_changed = numpy.zeros(old.num_rows, bool)
is_changed[random.choice(old.num_rows, old.num_rows // 100, replace=False)] = True
third = random.integers(0, 3, old.num_rows)
new, counts = old, {}


def change(name, at, change_of):
    global new
    where = pyarrow.array(is_changed & (third == at))
    before = old[name]
    index = new.schema.get_field_index(name)
    field = new.schema.field(index)
    after = compute.if_else(where, change_of(before).cast(field.type), before)
    counts[name] = compute.sum(compute.not_equal(before, after)).as_py()
    new = new.set_column(index, field, after)


cent = pyarrow.scalar("0.01").cast(pyarrow.decimal128(15, 2))
change("l_extendedprice", 0, lambda column: compute.add(column, cent))
change("l_discount", 1, lambda column: compute.add(column, cent))
mark = pyarrow.scalar("!")
change("l_comment", 2, lambda column: compute.binary_join_element_wise(column, mark, ""))
write(new, "changed")
rows_changed = sum(counts.values())
del new

if "column" in cases:
    write(old, "plain")
    index = old.schema.get_field_index("l_tax")
    field = old.schema.field(index)
    write(old.set_column(index, field, compute.add(old["l_tax"], cent).cast(field.type)), "column")
if "shuffled" in cases:
    write(old.take(pyarrow.array(random.permutation(old.num_rows))), "shuffled")
truth = {"rows": old.num_rows, "rows_changed": rows_changed, "cells_changed": counts}
(folder / "truth.json").write_text(json.dumps(truth) + "\n")
