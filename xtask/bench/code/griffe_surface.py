"""python griffe_surface.py OLD NEW PACKAGE: reads the public surface of two trees, and prints how many changes break."""

import sys

import griffe

old, new, package = sys.argv[1:]
surfaces = [griffe.load(package, search_paths=[tree], allow_inspection=False) for tree in (old, new)]
print(len(list(griffe.find_breaking_changes(*surfaces))), "breaking changes")
