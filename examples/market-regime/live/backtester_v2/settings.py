"""Settings: the part of YAML that they need, and objects by their dotted names."""
import importlib


class SettingsError(Exception):
    """The settings cannot be read."""


def scalar(text):
    """A number where it looks like one, else the text without its quotes."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text


def read(text):
    """Mappings by indentation, with scalars and lists of scalars.

    >>> read("a:\\n  b: 1\\n  c:\\n    - x.y\\n")
    {'a': {'b': 1, 'c': ['x.y']}}
    """
    root = {}
    # Each open mapping with its indentation; the last one takes the next key.
    stack = [(-1, root, None, None)]
    for number, line in enumerate(text.splitlines(), 1):
        content = line.split(" #")[0].rstrip()
        if not content or content.lstrip().startswith("#"):
            continue
        indentation = len(content) - len(content.lstrip())
        while stack[-1][0] >= indentation:
            stack.pop()
        _, holder, parent, key = stack[-1]
        word = content.strip()
        if word.startswith("- "):
            if parent is None or holder:
                raise SettingsError("line %d: a list item outside of a list" % number)
            if not isinstance(parent[key], list):
                parent[key] = []
            parent[key].append(scalar(word[2:].strip()))
            continue
        name, colon, value = word.partition(":")
        if not colon or (parent is not None and isinstance(parent[key], list)):
            raise SettingsError("line %d: neither `key: value` nor `- item` of its list" % number)
        if value.strip():
            holder[name.strip()] = scalar(value.strip())
        else:
            holder[name.strip()] = {}
            stack.append((indentation, holder[name.strip()], holder, name.strip()))
    return root


def load(path):
    """The settings of a file."""
    with open(path, encoding="utf-8") as file:
        return read(file.read())


def named(dotted):
    """The object of a dotted name: `package.module.Name`."""
    module, dot, name = dotted.rpartition(".")
    if not dot:
        raise SettingsError("`%s` is no dotted name" % dotted)
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise SettingsError("`%s` cannot be loaded: %s" % (dotted, error)) from error
