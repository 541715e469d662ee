"""python polars_join.py OLD NEW: the full outer join that one writes by hand, in polars, streaming. Prints the counts."""

import json
import sys

import polars

KEYS = ["l_orderkey", "l_linenumber"]
old = polars.scan_parquet(sys.argv[1]).with_columns(in_old=polars.lit(True))
new = polars.scan_parquet(sys.argv[2]).with_columns(in_new=polars.lit(True))
columns = [name for name in polars.scan_parquet(sys.argv[1]).collect_schema() if name not in KEYS]
joined = old.join(new, on=KEYS, how="full", coalesce=True, nulls_equal=True, suffix="_new")
both = polars.col("in_old") & polars.col("in_new")
differs = {name: ~polars.col(name).eq_missing(polars.col(f"{name}_new")) for name in columns}
counts = joined.select(
    rows_changed=(both & polars.any_horizontal(*differs.values())).sum(),
    only_old=polars.col("in_new").is_null().sum(),
    only_new=polars.col("in_old").is_null().sum(),
    **{name: (both & expression).sum() for name, expression in differs.items()},
)
found = counts.collect(engine="streaming").row(0, named=True)
cells = {name: found[name] for name in columns if found[name]}
print(json.dumps({name: found[name] for name in ("rows_changed", "only_old", "only_new")} | {"cells_changed": cells}))
