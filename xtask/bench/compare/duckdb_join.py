"""python duckdb_join.py OLD NEW [MEMORY]: the full outer join that one writes by hand, in DuckDB, two threads. Prints the counts."""

import json
import sys

import duckdb

KEYS = ["l_orderkey", "l_linenumber"]
old, new = sys.argv[1:3]
connection = duckdb.connect()
if len(sys.argv) > 3:
    connection.execute(f"set memory_limit = '{sys.argv[3]}'")
connection.execute("set threads = 2; set preserve_insertion_order = false")
names = [row[0] for row in connection.execute(f"describe select * from read_parquet('{old}')").fetchall()]
columns = [name for name in names if name not in KEYS]
differs = {name: f"(o.{name} is distinct from n.{name})" for name in columns}
both = "(o.l_orderkey is not null and n.l_orderkey is not null)"
counts = [f"count(*) filter (where {both} and ({' or '.join(differs.values())}))"]
counts += [f"count(*) filter (where n.{KEYS[0]} is null)", f"count(*) filter (where o.{KEYS[0]} is null)"]
counts += [f"count(*) filter (where {both} and {expression})" for expression in differs.values()]
on = " and ".join(f"o.{key} = n.{key}" for key in KEYS)
query = f"select {', '.join(counts)} from read_parquet('{old}') o full outer join read_parquet('{new}') n on {on}"
found = connection.execute(query).fetchone()
cells = {name: count for name, count in zip(columns, found[3:]) if count}
print(json.dumps({"rows_changed": found[0], "only_old": found[1], "only_new": found[2], "cells_changed": cells}))
