"""Phase 1: reads the loan tape by its schema. Lines that cannot be used are left out and counted."""
import csv
import datetime
import re
from decimal import Decimal


class IngestionError(Exception):
    """A file of the tape that cannot be used at all."""


def parser(pattern, what, convert):
    """A function that reads a text of that pattern; for any other it raises `ValueError`."""
    fits = re.compile(pattern).fullmatch

    def parse(text):
        if not fits(text):
            raise ValueError("`%s` is no %s" % (text, what))
        return convert(text)

    return parse


# An amount that is not negative, in the currency of its loan, with at most two places.
parse_money = parser(r"[0-9]+(\.[0-9]{1,2})?", "amount", Decimal)
# A rate for a year: 0.05 is 5 %.
parse_rate = parser(r"[0-9]+(\.[0-9]+)?", "rate", Decimal)
parse_count = parser(r"[0-9]{1,9}", "whole number", int)
# `fromisoformat` alone takes more than YYYY-MM-DD since Python 3.11.
parse_date = parser(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "date", datetime.date.fromisoformat)

PARSERS = {
    "text": str,
    "money": parse_money,
    "rate": parse_rate,
    "count": parse_count,
    "date": parse_date,
    "date or nothing": lambda text: parse_date(text) if text else None,
}


def read_table(path, schema, why_not):
    """The rows of a file as its schema types them, and what was left out: `{"line": 7, "reason": "…"}`.

    `why_not(row, line)` says why a row cannot be used, or nothing.
    """
    rows, left_out = [], []
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        missing = [name for name in schema["columns"] if name not in header]
        if missing:
            raise IngestionError("%s has no column %s" % (path, ", ".join(missing)))
        columns = [(name, header.index(name), PARSERS[kind]) for name, kind in schema["columns"].items()]
        for fields in reader:
            if not fields:
                continue
            try:
                row = {name: parse(fields[index]) for name, index, parse in columns}
            except IndexError:
                left_out.append({"line": reader.line_num, "reason": "the line is too short"})
                continue
            except ValueError as error:
                left_out.append({"line": reader.line_num, "reason": str(error)})
                continue
            reason = why_not(row, reader.line_num)
            if reason is None:
                rows.append(row)
            else:
                left_out.append({"line": reader.line_num, "reason": reason})
    return rows, left_out


def read_loans(path, schema, segments, currencies):
    """The loans of a file, in its order, and what was left out.

    Principals are decimals in the loan's own currency, rates are decimals for a year, terms are in months.
    """
    lines = {}
    rate_max, term_max = Decimal(schema["annual_rate_max"]), schema["term_months_max"]

    def why_not(loan, line):
        name, segment = loan["loan_id"], loan["segment"]
        if not name:
            return "no loan_id"
        if name in lines:
            return "`%s` was on line %d already" % (name, lines[name])
        if segment not in segments:
            return "`%s` is no segment" % segment
        if loan["product"] not in segments[segment]["products"]:
            return "`%s` is no product of %s" % (loan["product"], segment)
        if loan["currency"] not in currencies["rates"]:
            return "`%s` is no currency with a rate" % loan["currency"]
        if loan["principal"] == 0:
            return "the principal is 0"
        if loan["annual_rate"] > rate_max:
            return "the rate %s is above %s" % (loan["annual_rate"], rate_max)
        if not 1 <= loan["term_months"] <= term_max:
            return "a term of %d months" % loan["term_months"]
        lines[name] = line
        return None

    loans, left_out = read_table(path, schema, why_not)
    if not loans:
        raise IngestionError("%s has no loan that can be used" % path)
    return loans, left_out


def read_payments(path, schema, loans):
    """The installments of a file, in its order, and what was left out. Amounts are in the loan's currency."""
    seen = {loan["loan_id"]: set() for loan in loans}

    def why_not(payment, _):
        name, installment = payment["loan_id"], payment["installment"]
        if name not in seen:
            return "`%s` is no loan" % name
        if installment in seen[name]:
            return "installment %d of %s was there already" % (installment, name)
        if payment["paid_date"] is None and payment["paid_amount"] > 0:
            return "an amount was paid without a date"
        seen[name].add(installment)
        return None

    return read_table(path, schema, why_not)
