"""Writes a sample of the live tape, its first loans with their payments, into a folder: what the fixture holds."""
import argparse
import csv
import pathlib
import sys

TAPE = pathlib.Path(__file__).resolve().parent.parent / "tape"


def read(name):
    """The header and the rows of a file of the tape."""
    with open(TAPE / name, encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return header, rows


def write(path, header, rows):
    """Writes a table."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loans", type=int, default=150, help="how many loans (150)")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the folder, which is made")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True)
    header, loans = read("loans.csv")
    loans = loans[: options.loans]
    write(options.out / "loans.csv", header, loans)
    taken = {row[header.index("loan_id")] for row in loans}
    header, payments = read("payments.csv")
    place = header.index("loan_id")
    write(options.out / "payments.csv", header, [row for row in payments if row[place] in taken])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
