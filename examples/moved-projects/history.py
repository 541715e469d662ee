"""A commit in which the packages of a public project got other names, beside what `switchback move` makes of its parent."""

import ast
import collections
import difflib
import re

from trees import Refuted, compare, files, same_compile, without_reason

REPOSITORY = "crzyc98/planwise_navigator"
COMMIT = "20149d6d"
MOVES = [("navigator_orchestrator", "planalign_orchestrator"), ("planwise_cli", "planalign_cli")]

MODULE = re.compile(r"(?<!\w)(navigator_orchestrator|planwise_cli|planalign_orchestrator|planalign_cli)(?!\w)")
OLD_MODULE = re.compile(r"(?<!\w)(navigator_orchestrator|planwise_cli)(?!\w)")
PRODUCT = re.compile(r"fidelity planalign engine|planalign[ _-]?engine|planalign|planwise[ _-]navigator|planwise|navigator", re.I)

EQUAL = "equal to upstream's"
ADDED = "a file that upstream added"
DROPPED = "a file that upstream removed"
PRODUCT_NAME = "the product, the command or another folder got another name: no module is named"
LISTED = "a module named in prose, which upstream reworded: left and listed"
LEFT_UPSTREAM = "a module's old name that upstream left: ours follows it"
OTHER = "upstream changed what the lines say: no module is named"
NOWHERE = "a path in prose that led to no file of the old tree, which upstream reworded: left and listed"
REWORDED = "upstream wrote other lines here, which name a module by its new name"
UNEXPLAINED = "not explained"


def statements(content):
    """The imports of a file, each as it is written but for blanks."""
    tree = ast.parse(content)
    return collections.Counter(
        ast.unparse(node) for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))
    )


def lines(content):
    """The lines of a text, or nothing for what is none."""
    try:
        return content.decode().splitlines()
    except UnicodeDecodeError:
        return None


def neutral(line):
    """A line without the product's names, without widths of tables and underlines."""
    return re.sub(r"[\s=#*|│║─-]+", "", PRODUCT.sub("@", line))


def classes(old, ours, upstream, listed):
    """Counts the differing lines of ours and upstream's by the reason for each; and each of them."""
    counts, told = collections.Counter(), []
    known = set(old)
    matcher = difflib.SequenceMatcher(None, ours, upstream, autojunk=False)
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind == "equal":
            continue
        one, two = list(ours[i1:i2]), list(upstream[j1:j2])
        pairs = []
        by_shape = collections.defaultdict(list)
        for line in one:
            by_shape[neutral(line)].append(line)
        rest = []
        for line in two:
            same = by_shape[neutral(line)]
            pairs.append((same.pop(0), line)) if same else rest.append(line)
        pairs += [(line, None) for same in by_shape.values() for line in same]
        pairs += [(None, line) for line in rest]
        for mine, theirs in pairs:
            why = reason(mine, theirs, known, listed)
            counts[why] += 1
            told.append((why, mine, theirs))
    return counts, told


def reason(mine, theirs, known, listed):
    """Why one line of ours is not upstream's."""
    if mine is not None and theirs is not None:
        if theirs in known and mine not in known:
            return LEFT_UPSTREAM
        if mine not in known and OLD_MODULE.search(mine):
            return left(mine, listed)
        if mine not in known:
            return PRODUCT_NAME if MODULE.findall(mine) == MODULE.findall(theirs) else UNEXPLAINED
        if not OLD_MODULE.search(mine):
            return PRODUCT_NAME
        return left(mine, listed)
    if mine is None:
        # What upstream wrote anew can only be wrong when it stands for something of the old file.
        return REWORDED if MODULE.search(theirs) else OTHER
    if mine in known:
        if OLD_MODULE.search(mine):
            return left(mine, listed)
        return OTHER
    return REWORDED


def left(line, listed):
    """Why a line still has an old name: the report must name it."""
    found = [text for text in listed if text in line]
    if not found:
        return UNEXPLAINED
    return NOWHERE if any("/" in text for text in found) else LISTED


def trial(workplace, only=()):
    """Moves the parent and holds every file beside upstream's."""
    old = workplace.checkout(REPOSITORY, f"{COMMIT}~1", "history/old")
    theirs = files(workplace.checkout(REPOSITORY, COMMIT, "history/upstream"))
    new = workplace.copy(old, "history/new")
    document = workplace.move(new, MOVES)
    was, ours = files(old), files(new)
    counts = compare(was, ours, document)
    if wrong := without_reason(was, document):
        raise Refuted(f"{wrong[0]} was edited and names nothing that moved")
    broken = same_compile(old, new, document)
    print(f"{counts}, {broken} not compiling before and after, proof: {document['proof']['imports_checked']} imports resolve")
    moves = {move["from"]: move["to"] for move in document["moves"]}
    imports(was, ours, theirs, moves, workplace)
    listed = collections.defaultdict(set)
    for one in document["undecided"]:
        listed[one["path"]].add(one["text"])
    everything(was, ours, theirs, moves, listed, workplace)


def imports(was, ours, theirs, moves, workplace):
    """Every import statement that upstream changed must stand in ours."""
    changed = equal = beyond = 0
    for path, content in was.items():
        place = moves.get(path, path)
        if not path.endswith(".py") or place not in theirs:
            continue
        try:
            old, mine, upstream = (statements(each) for each in (content, ours[place], theirs[place]))
        except SyntaxError:
            continue
        wanted = upstream - old
        explained = collections.Counter({line: count for line, count in wanted.items() if MODULE.search(line)})
        changed += sum(explained.values())
        equal += sum((explained & mine).values())
        for line in explained - mine:
            print(f"  not ours: {place}: {line}")
            workplace.failures.append(f"{place}: {line}")
        for line in (mine - old) - upstream:
            beyond += 1
            print(f"  only ours: {place}: {line}")
        for line in wanted - explained:
            print(f"  only upstream's, names nothing that moved: {place}: {line}")
    print(f"import statements that upstream changed: {changed}, of them equal in ours: {equal}; only ours: {beyond}")


def everything(was, ours, theirs, moves, listed, workplace):
    """Every file that is not upstream's, by class."""
    file_counts, line_counts, told = collections.Counter(), collections.Counter(), []
    for path, content in was.items():
        place = moves.get(path, path)
        if place not in theirs:
            file_counts[DROPPED] += 1
            told.append((DROPPED, place, None, None))
        elif ours[place] == theirs[place]:
            file_counts[EQUAL] += 1
        else:
            file_counts["differs"] += 1
            three = [lines(each) for each in (content, ours[place], theirs[place])]
            if None in three:
                line_counts[OTHER if ours[place] == content else UNEXPLAINED] += 1
                continue
            found, each = classes(*three, listed[path])
            line_counts += found
            told += [(why, place, mine, upstream) for why, mine, upstream in each]
    for place in set(theirs) - {moves.get(path, path) for path in was}:
        file_counts[ADDED] += 1
        told.append((ADDED, place, None, None))
    for name, count in [*sorted(file_counts.items()), *line_counts.most_common()]:
        print(f"  {count}: {name}")
    report = workplace.folder / "history-differences.txt"
    with open(report, "w") as file:
        for why, place, mine, upstream in sorted(told, key=lambda one: (one[0], one[1])):
            file.write(f"{why}\t{place}\n    ours:     {mine}\n    upstream: {upstream}\n")
    print(f"  each of them: {report}")
    if line_counts[UNEXPLAINED]:
        workplace.failures.append(f"{line_counts[UNEXPLAINED]} differences that are not explained")
