"""Whether a workbook can be used: every finding at once."""
from .sheets import SHEETS


def findings(sheets):
    """What is wrong with sheets, a line each."""
    found = []
    for name, rows in sheets.items():
        if name not in SHEETS:
            found.append("there is no sheet `%s` to be read" % name)
            continue
        for number, row in enumerate(rows, 2):
            for column in SHEETS[name]:
                if row.get(column) is None:
                    found.append("sheet `%s`, row %d: `%s` is missing" % (name, number, column))
    if "Thresholds" not in sheets:
        found.append("the sheet `Thresholds` is missing")
    return found
