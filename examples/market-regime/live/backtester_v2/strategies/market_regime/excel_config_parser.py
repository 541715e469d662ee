"""The configuration: sheets, each a list of rows."""
import os
import re
import zipfile
from xml.etree import ElementTree

from .errors import ConfigError
from .sheets import MAIN, OFFICE, PACKAGE
from .validation import findings

# The endings of files that are read.
SUPPORTED = (".xlsx",)


def number(text: str):
    """A number where it looks like one, else the text; nothing is nothing.

    >>> number("0.5"), number(" "), number("low")
    (0.5, None, 'low')
    """
    if not text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        return text.strip()


def column_of(reference):
    """The place of a cell in its row, of which the first is 0.

    >>> column_of("A1"), column_of("AA10")
    (0, 26)
    """
    place = 0
    for letter in re.match("[A-Z]+", reference).group():
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1


class ExcelConfigParser:
    """Reads a configuration as a person keeps it."""

    def __init__(self, path, strict=True):
        self.path = path
        self.strict = strict

    def parse(self) -> dict:
        """All sheets of a workbook, with what is wrong in them, if anything, as one error."""
        if os.path.splitext(self.path)[1] not in SUPPORTED:
            raise ConfigError("`%s` is no workbook" % self.path)
        try:
            with zipfile.ZipFile(self.path) as archive:
                sheets = {name: self._rows(archive, part) for name, part in self._parts(archive)}
        except (OSError, KeyError, zipfile.BadZipFile, ElementTree.ParseError) as error:
            raise ConfigError("`%s` cannot be read: %s" % (self.path, error)) from error
        found = findings(sheets)
        if found and self.strict:
            raise ConfigError("`%s`: %s" % (self.path, "; ".join(found)))
        return sheets

    def sheet_names(self):
        """The names of all sheets of a workbook, in its order."""
        with zipfile.ZipFile(self.path) as archive:
            return [name for name, _ in self._parts(archive)]

    @staticmethod
    def _parts(archive):
        """Name and place of each sheet."""
        links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
        places = {
            link.get("Id"): link.get("Target") for link in links.iter("{%s/relationships}Relationship" % PACKAGE)
        }
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
        return [
            (sheet.get("name"), "xl/" + places[sheet.get("{%s}id" % OFFICE)]) for sheet in book.iter("{%s}sheet" % MAIN)
        ]

    @staticmethod
    def _strings(archive):
        """The texts that sheets share."""
        if "xl/sharedStrings.xml" not in archive.namelist():
            return []
        root = ElementTree.fromstring(archive.read("xl/sharedStrings.xml"))
        return ["".join(part.text or "" for part in item.iter("{%s}t" % MAIN)) for item in root.iter("{%s}si" % MAIN)]

    def _rows(self, archive, part):
        """The rows of a sheet, by the columns that its first row names."""
        shared = self._strings(archive)
        table = []
        for row in ElementTree.fromstring(archive.read(part)).iter("{%s}row" % MAIN):
            cells = {}
            for cell in row.iter("{%s}c" % MAIN):
                if cell.get("t") == "inlineStr":
                    text = "".join(piece.text or "" for piece in cell.iter("{%s}t" % MAIN))
                else:
                    text = cell.findtext("{%s}v" % MAIN) or ""
                    text = shared[int(text)] if cell.get("t") == "s" else text
                cells[column_of(cell.get("r"))] = text
            table.append(cells)
        if not table:
            return []
        head = sorted(table[0].items())
        return [{name: number(cells.get(place, "")) for place, name in head} for cells in table[1:]]
