"""python grimp_graph.py TREE PACKAGE…: builds the graph of imports, without a cache."""

import sys

import grimp

sys.path.insert(0, sys.argv[1])
graph = grimp.build_graph(*sys.argv[2:], include_external_packages=True, cache_dir=None)
print(len(graph.modules), "modules")
