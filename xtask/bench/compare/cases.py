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

import duckdb
import numpy
import pyarrow
import pyarrow.compute as compute
import pyarrow.parquet as parquet

SEED = 7
ROWS_PER_GROUP = 1_000_000
# Sorting the large table must fit beside nothing else.
SORT_MEMORY = "8GB"

scale, folder, cases = sys.argv[1], Path(sys.argv[2]), sys.argv[3].split(",")
folder.mkdir(parents=True, exist_ok=True)
generator = Path(sysconfig.get_path("scripts")) / "tpchgen-cli"
subprocess.run(
    [generator, "parquet", "--scale-factor", scale, "--tables", "lineitem", "--output-dir", folder], check=True
)
old = folder / "old.parquet"
(folder / "lineitem.parquet").rename(old)
if "same" in cases:
    shutil.copyfile(old, folder / "same.parquet")
if "shuffled" in cases:
    connection = duckdb.connect()
    connection.execute(f"set memory_limit = '{SORT_MEMORY}'; set temp_directory = '{folder / 'sorting'}'")
    order = f"hash(l_orderkey, l_linenumber, {SEED})"
    query = f"select * from read_parquet('{old}') order by {order}"
    connection.execute(f"copy ({query}) to '{folder / 'shuffled.parquet'}' (format parquet)")
    shutil.rmtree(folder / "sorting", ignore_errors=True)

random = numpy.random.default_rng(SEED)
cent = pyarrow.scalar("0.01").cast(pyarrow.decimal128(15, 2))
mark = pyarrow.scalar("!")
counts = {}
writers = {}


def write(table, name, compression="snappy"):
    """Appends a row group to the table of that name."""
    if name not in writers:
        writers[name] = parquet.ParquetWriter(folder / f"{name}.parquet", table.schema, compression=compression)
    writers[name].write_table(table, row_group_size=ROWS_PER_GROUP)


def replaced(table, name, values):
    index = table.schema.get_field_index(name)
    field = table.schema.field(index)
    return table.set_column(index, field, values.cast(field.type))


def changed(table):
    """One row in a hundred with another price, discount or comment. The differing cells are counted."""
    is_changed = numpy.zeros(table.num_rows, bool)
    is_changed[random.choice(table.num_rows, table.num_rows // 100, replace=False)] = True
    third = random.integers(0, 3, table.num_rows)
    changes = {
        "l_extendedprice": lambda column: compute.add(column, cent),
        "l_discount": lambda column: compute.add(column, cent),
        "l_comment": lambda column: compute.binary_join_element_wise(column, mark, ""),
    }
    for at, (name, change_of) in enumerate(changes.items()):
        before = table[name]
        where = pyarrow.array(is_changed & (third == at))
        after = compute.if_else(where, change_of(before).cast(before.type), before)
        counts[name] = counts.get(name, 0) + compute.sum(compute.not_equal(before, after)).as_py()
        table = replaced(table, name, after)
    return table


rows = 0
for batch in parquet.ParquetFile(old).iter_batches(batch_size=ROWS_PER_GROUP):
    table = pyarrow.Table.from_batches([batch])
    # Few functions know string views yet.
    is_view = pyarrow.types.is_string_view
    fields = [field.with_type(pyarrow.string()) if is_view(field.type) else field for field in table.schema]
    table = table.cast(pyarrow.schema(fields))
    rows += table.num_rows
    write(changed(table), "changed")
    if "rewritten" in cases:
        write(table, "rewritten", "zstd")
    if "column" in cases:
        write(table, "plain")
        write(replaced(table, "l_tax", compute.add(table["l_tax"], cent)), "column")
for writer in writers.values():
    writer.close()
truth = {"rows": rows, "rows_changed": sum(counts.values()), "cells_changed": counts}
(folder / "truth.json").write_text(json.dumps(truth) + "\n")
