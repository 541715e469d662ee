"""python rope_rename.py TREE PATH NAME: renames a module or package by rope, and everything in TREE that names it."""

import sys

from rope.base.project import Project
from rope.refactor.rename import Rename

tree, path, name = sys.argv[1:]
project = Project(tree, ropefolder=None)
project.do(Rename(project, project.get_resource(path)).get_changes(name))
project.close()
