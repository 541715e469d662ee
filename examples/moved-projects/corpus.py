"""Python's own tests of its syntax and the fixtures of a parser, as they are and damaged: nothing but an import of what moved changes."""

import ast
import random
import re
import sysconfig
from pathlib import Path

from trees import Refuted, compare, compile_failures, files

RUFF = ("astral-sh/ruff", "0.8.0")
FIXTURES = "crates/ruff_python_parser/resources"
FILE_BYTES_MAX = 300_000
FILES_MIN = 200
SEED = 20_149
# Where Python is asked as well, before and after; elsewhere most of the files are not for Python anyway.
COMPILED = ("plain", "crlf", "cr-only", "form-feeds")

SEEDS = [
    b"f'{x!r:>{width}} {f\"{y}\"} {\"a\" + 'b'}'\nf'''{\n1\n}'''\n",
    b"type Pair[T: int, *Ts, **P] = dict[T, list[T]]\ndef f[T](x: T) -> T: return x\nclass A[T = int]: ...\n",
    b"t'hello {name!s:>10}' t'{1 + 1}'\nrt\"\\d{x}\"\n",
    b"match point:\n    case {'x': [1, *_], **rest} if (n := len(rest)) > 1: pass\n    case A(b=C.D) | None as q: pass\n",
    b"x = [] # type: list[int]\ndef f(a, # type: int\n      b): # type: (...) -> None\n    pass\n",
    b"print 'hello', 1\nexec 'x' in {}\nraise E, 'x'\ntry: pass\nexcept E, e: pass\nx = `1` <> 0777L\n",
    b"try:\n    pass\nexcept* (A, B):\n    pass\nwith (open(a) as b, open(c) as d,): pass\n",
    b"# -*- coding: latin-1 -*-\nname = '\xe9\xff'\n",
    b"# -*- coding: cp1252 -*-\r\nname = '\x80'\r\n",
    b"\xef\xbb\xbfx = 1\n",
    b"name = '\xff\xfe'\n",
    b"",
    b"\\\n",
    b"x = 1 \\",
    b"if x:\n\ty = 1\n        z = 2\n",
]


def damages():
    """Ways to spoil a file: its name, and what it does to the bytes."""

    def cut(content, chance):
        return content[: chance.randrange(len(content) + 1)]

    def flip(content, chance):
        spoiled = bytearray(content)
        for _ in range(min(len(spoiled), 1 + len(spoiled) // 500)):
            spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
        return bytes(spoiled)

    def drop_lines(content, chance):
        return b"".join(line for line in content.splitlines(True) if chance.random() > 0.05)

    def strew(content, what, chance):
        parts = content.splitlines(True)
        for _ in range(1 + len(parts) // 50):
            parts.insert(chance.randrange(len(parts) + 1), what)
        return b"".join(parts)

    return {
        "plain": lambda content, chance: content,
        "truncated": cut,
        "flipped": flip,
        "lines-dropped": drop_lines,
        "form-feeds": lambda content, chance: strew(content, b"\x0c\n", chance),
        "cr-only": lambda content, chance: re.sub(rb"\r?\n", b"\r", content),
        "crlf": lambda content, chance: re.sub(rb"\r?\n", b"\r\n", content),
        "mixed-ends": lambda content, chance: re.sub(rb"\n", lambda _: chance.choice([b"\r", b"\n", b"\r\n"]), content),
        "tabs": lambda content, chance: content.replace(b"    ", b"\t"),
        "nul": lambda content, chance: strew(content, b"\0", chance),
        "long-line": lambda content, chance: content + b"\nx = '" + b"long " * 20_000 + b"'\n",
        "one-line": lambda content, chance: content.replace(b"\n", b" "),
        "no-indent": lambda content, chance: re.sub(rb"(?m)^[ \t]+", b"", content),
        "brackets": lambda content, chance: strew(content, chance.choice([b"(", b"[", b"{", b"'''", b'f"{', b")"]), chance),
    }


def deep(depth):
    """Files that nest so deeply."""
    return {
        "parentheses": b"x = " + b"(" * depth + b")" * depth + b"\n",
        "unclosed": b"x = " + b"(" * depth + b"\n",
        "lists": b"x = " + b"[" * depth + b"]" * depth + b"\n",
        "dictionaries": b"x = " + b"{0:" * depth + b"0" + b"}" * depth + b"\n",
        "calls": b"x = " + b"f(" * depth + b")" * depth + b"\n",
        "nots": b"x = " + b"not " * depth + b"y\n",
        "minuses": b"x = " + b"-" * depth + b"y\n",
        "powers": b"x = " + b"y**" * depth + b"y\n",
        "sums": b"x = " + b"y+" * depth + b"y\n",
        "attributes": b"x = y" + b".y" * depth + b"\n",
        "indexes": b"x = y" + b"[0]" * depth + b"\n",
        "chained-calls": b"x = y" + b"()" * depth + b"\n",
        "lambdas": b"x = " + b"lambda: " * depth + b"y\n",
        "conditions": b"x = " + b"a if b else " * depth + b"y\n",
        "comparisons": b"x = " + b"a < " * depth + b"y\n",
        "assignments": b"x = " * depth + b"y\n",
        "elifs": b"if a:\n  pass\n" + b"elif a:\n  pass\n" * depth,
        "elses": b"".join(b" " * at + b"if a: pass\n" + b" " * at + b"else:\n" for at in range(min(depth, 3000))) + b"\n",
        "blocks": b"".join(b" " * at + b"if a:\n" for at in range(min(depth, 3000))) + b" " * 3000 + b"pass\n",
        "functions": b"".join(b" " * at + b"def f():\n" for at in range(min(depth, 3000))) + b" " * 3000 + b"pass\n",
        "f-strings": b"x = " + b"f'{" * depth + b"1" + b"}'" * depth + b"\n",
        "f-formats": b"x = f'{a:" + b"{a:" * depth + b"}" * depth + b"}'\n",
        "patterns": b"match x:\n  case " + b"[" * depth + b"]" * depth + b": pass\n",
        "strings": b"x = (" + b"'a' " * depth + b")\n",
        "awaits": b"async def f():\n  " + b"await " * depth + b"x\n",
        "stars": b"f(" + b"*" * depth + b"x)\n",
        "decorators": b"@a\n" * depth + b"def f(): pass\n",
        "walruses": b"x = " + b"(a := " * depth + b"1" + b")" * depth + b"\n",
        "annotations": b"x: '" + b"list[" * depth + b"int" + b"]" * depth + b"'\n",
        "comprehensions": b"x = " + b"[a for a in " * depth + b"b" + b"]" * depth + b"\n",
    }


def sources(workplace):
    """The tests of this Python, and the fixtures, by a name that is unique."""
    found = {}
    tests = Path(sysconfig.get_paths()["stdlib"]) / "test"
    places = [(path, "python/" + path.relative_to(tests).as_posix()) for path in sorted(tests.rglob("*.py"))]
    fixtures = workplace.checkout(*RUFF, "corpus/ruff") / FIXTURES
    places += [(path, "ruff/" + path.relative_to(fixtures).as_posix()) for path in sorted(fixtures.rglob("*.py*"))]
    for path, name in places:
        content = path.read_bytes() if path.is_file() else b""
        if path.suffix in (".py", ".pyi") and len(content) <= FILE_BYTES_MAX and b"switchback_old" not in content:
            found[name] = content
    for number, content in enumerate(SEEDS):
        found[f"own/seed{number}.py"] = content
    return found


def lay_out(workplace, name, contents):
    """A project that holds these files, and a package that will move."""
    tree = workplace.fresh(name)
    for path, content in contents.items():
        place = tree / "corpus" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    for path, content in {"__init__.py": b"", "thing.py": b"VALUE = 1\n"}.items():
        place = tree / "switchback_old" / path
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(content)
    return tree


def importing(content, chance):
    """A file that imports what moves: at its end where lines end as its own do, or as its first statement."""
    statement = chance.choice([b"from switchback_old import thing", b"import switchback_old.thing as thing"])
    end = b"\r\n" if b"\r\n" in content else b"\r" if b"\r" in content and b"\n" not in content else b"\n"
    if chance.random() < 0.3 and not content.startswith((b"#", b"\xef\xbb\xbf")):
        return statement + end + content
    return content + end + statement + end


def imports(content):
    """Whether Python finds an import of what moves: the statement may have come to stand in a string or a comment."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    named = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    named += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    return any((name or "").startswith("switchback_old") for name in named)


def trial(workplace, only=()):
    """Every damage of every file: nothing changes where nothing is named, and exactly the name where it is."""
    found = sources(workplace)
    if len(found) < FILES_MIN:
        raise Refuted(f"only {len(found)} source files")
    print(f"{len(found)} source files", flush=True)
    for kind, damage in damages().items():
        if only and kind not in only:
            continue
        chance = random.Random(f"{SEED} {kind}")
        contents = {path: damage(content, chance) for path, content in found.items()}
        one_kind(workplace, kind, contents, chance)
    for depth in (50, 200, 1_000, 10_000, 100_000, 1_000_000):
        if not only or f"deep-{depth}" in only:
            contents = {f"deep/{name}.py": content for name, content in deep(depth).items()}
            one_kind(workplace, f"deep-{depth}", contents, random.Random(f"{SEED} {depth}"))


def one_kind(workplace, kind, contents, chance):
    """Moves with and without a use of what moves."""
    tree = lay_out(workplace, "corpus/unused", contents)
    was = files(tree)
    document = workplace.move(tree, [("switchback_old", "switchback_new")])
    compare(was, files(tree), document)
    if document["edits"]:
        raise Refuted(f"{kind}: {document['edits'][0]} though nothing is named")
    used = {path: importing(content, chance) for path, content in contents.items()}
    tree = lay_out(workplace, "corpus/used", used)
    was = files(tree)
    is_compiled = kind in COMPILED
    before = compile_failures(tree) if is_compiled else set()
    document = workplace.move(tree, [("switchback_old", "switchback_new")])
    now = files(tree)
    compare(was, now, document)
    unparsed = {one["path"] for one in document["unparsed"]}
    exact = left = 0
    for path in used:
        path = f"corpus/{path}"
        if now[path] == was[path].replace(b"switchback_old", b"switchback_new"):
            exact += 1
        elif now[path] == was[path] and (path in unparsed or not imports(was[path])):
            left += 1
        else:
            workplace.failures.append(f"{kind}: {path} was not edited as it should be")
    if is_compiled and (broken := sorted(compile_failures(tree) ^ before)):
        raise Refuted(f"{kind}: {broken[0]} compiles no more, or only now")
    print(
        f"{kind}: {len(used)} files: {exact} edited in exactly the import, {left} left, {len(unparsed)} listed as not parsing"
        + (f"; {len(before)} not compiling before and after" if is_compiled else ""),
        flush=True,
    )
