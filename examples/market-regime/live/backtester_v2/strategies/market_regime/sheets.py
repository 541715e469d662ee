"""Workbooks: the sheets that there are, and how a workbook is written."""
import zipfile
from xml.sax.saxutils import escape, quoteattr

# The columns that a sheet has to have.
SHEETS = {
    "Thresholds": ("name", "value"),
    "Weights": ("measure", "weight"),
    "Panels": ("panel", "title"),
    "Limits": ("name", "value"),
}

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
PARTS = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def column_letters(place):
    """The letters of a column, of which the first is 0.

    >>> [column_letters(place) for place in (0, 25, 26, 701, 702)]
    ['A', 'Z', 'AA', 'ZZ', 'AAA']
    """
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _cell(row, place, value):
    reference = "%s%d" % (column_letters(place), row)
    if isinstance(value, (int, float)):
        return '<c r="%s"><v>%r</v></c>' % (reference, value)
    return '<c r="%s" t="inlineStr"><is><t>%s</t></is></c>' % (reference, escape(value))


def _sheet(rows):
    columns = list(rows[0])
    table = [columns] + [[row[name] for name in columns] for row in rows]
    lines = "".join(
        '<row r="%d">%s</row>' % (number, "".join(_cell(number, place, value) for place, value in enumerate(row)))
        for number, row in enumerate(table, 1)
    )
    return '%s<worksheet xmlns="%s"><sheetData>%s</sheetData></worksheet>' % (HEAD, MAIN, lines)


def _types(count):
    parts = [("/xl/workbook.xml", "sheet.main")]
    parts += [("/xl/worksheets/sheet%d.xml" % number, "worksheet") for number in range(1, count + 1)]
    return "".join('<Override PartName="%s" ContentType="%s.%s+xml"/>' % (path, PARTS, kind) for path, kind in parts)


def write_workbook(path, sheets):
    """Writes sheets, each a list of rows with the same keys, as an `.xlsx` that is the same for the same sheets."""
    entries = list(enumerate(sheets, 1))
    names = "".join(
        '<sheet name=%s sheetId="%d" r:id="r%d"/>' % (quoteattr(name), number, number) for number, name in entries
    )
    links = "".join(
        '<Relationship Id="r%d" Type="%s/worksheet" Target="worksheets/sheet%d.xml"/>' % (number, OFFICE, number)
        for number, _ in entries
    )
    root = '<Relationship Id="r1" Type="%s/officeDocument" Target="xl/workbook.xml"/>' % OFFICE
    files = {
        "[Content_Types].xml": '<Types xmlns="%s/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>%s</Types>' % (PACKAGE, _types(len(entries))),
        "_rels/.rels": '<Relationships xmlns="%s/relationships">%s</Relationships>' % (PACKAGE, root),
        "xl/workbook.xml": '<workbook xmlns="%s" xmlns:r="%s"><sheets>%s</sheets></workbook>' % (MAIN, OFFICE, names),
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="%s/relationships">%s</Relationships>' % (PACKAGE, links),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), HEAD + text)
        for number, name in entries:
            archive.writestr(zipfile.ZipInfo("xl/worksheets/sheet%d.xml" % number), _sheet(sheets[name]))
