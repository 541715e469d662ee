"""Runs the tests, and writes which lines of the program they ran as a report of Cobertura, with Python alone."""
import dis
import os
import pathlib
import sys
import unittest
from xml.etree import ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
CODE = ("pipeline", "python", "run.py")


def sources():
    """Every source of the program."""
    for name in CODE:
        path = ROOT / name
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def lines_of(path):
    """The lines of a source that can be run."""
    lines, codes = set(), [compile(path.read_bytes(), str(path), "exec")]
    while codes:
        code = codes.pop()
        lines.update(line for _, line in dis.findlinestarts(code) if line)
        codes.extend(constant for constant in code.co_consts if hasattr(constant, "co_code"))
    return lines


def run_tests(files):
    """Runs all tests; returns whether they passed, and the lines that were run by file."""
    ran = {name: set() for name in files}

    def follow(frame, _event, _argument):
        hit = ran.get(frame.f_code.co_filename)
        if hit is None:
            return None

        def note(inner, _event, _argument):
            hit.add(inner.f_lineno)
            return note

        return note(frame, None, None)

    sys.settrace(follow)
    try:
        tests = unittest.defaultTestLoader.discover(str(ROOT / "tests"), top_level_dir=str(ROOT))
        result = unittest.TextTestRunner().run(tests)
    finally:
        sys.settrace(None)
    return result.wasSuccessful(), ran


def main(out):
    sys.dont_write_bytecode = True
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    files = {str(path): lines_of(path) for path in sources()}
    is_passed, ran = run_tests(files)
    report = ElementTree.Element("coverage", {"line-rate": "0"})
    ElementTree.SubElement(ElementTree.SubElement(report, "sources"), "source").text = str(ROOT)
    packages = ElementTree.SubElement(report, "packages")
    classes = ElementTree.SubElement(ElementTree.SubElement(packages, "package", {"name": "."}), "classes")
    for name, lines in files.items():
        path = str(pathlib.Path(name).relative_to(ROOT))
        one = ElementTree.SubElement(classes, "class", {"name": path, "filename": path})
        ElementTree.SubElement(one, "methods")
        listed = ElementTree.SubElement(one, "lines")
        for line in sorted(lines):
            ElementTree.SubElement(listed, "line", {"number": str(line), "hits": str(int(line in ran[name]))})
    ElementTree.ElementTree(report).write(out, encoding="utf-8", xml_declaration=True)
    return 0 if is_passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
