"""Reads the loan tape, `loans.csv` and `payments.csv`. Lines that cannot be used are left out and counted."""
import csv
import datetime
import json
import re
from decimal import Decimal

MONEY = re.compile(r"[0-9]+(\.[0-9]{1,2})?")
RATE = re.compile(r"[0-9]+(\.[0-9]+)?")
COUNT = re.compile(r"[0-9]{1,9}")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class IngestionError(Exception):
    """A file of the tape that cannot be used at all."""


def load_json(path):
    """One fragment of the configuration."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def load_settings(folder):
    """All fragments below a folder: `kpis/definitions.json` becomes `settings["kpis"]["definitions"]`."""
    settings = {}
    for path in sorted(folder.rglob("*.json")):
        place = settings
        for part in path.relative_to(folder).parts[:-1]:
            place = place.setdefault(part, {})
        place[path.stem] = load_json(path)
    return settings


def parse_money(text):
    """An amount that is not negative, in the currency of its loan, with at most two places."""
    if not MONEY.fullmatch(text):
        raise ValueError("`%s` is no amount" % text)
    return Decimal(text)


def parse_rate(text):
    """A rate for a year: 0.05 is 5 %."""
    if not RATE.fullmatch(text):
        raise ValueError("`%s` is no rate" % text)
    return Decimal(text)


def parse_count(text):
    """A whole number, 0 or more."""
    if not COUNT.fullmatch(text):
        raise ValueError("`%s` is no whole number" % text)
    return int(text)


def parse_date(text):
    """A day, written YYYY-MM-DD. `fromisoformat` alone takes more than that since Python 3.11."""
    if not DATE.fullmatch(text):
        raise ValueError("`%s` is no date" % text)
    return datetime.date.fromisoformat(text)


def check_columns(path, found, schema):
    """Refuses a file that lacks a column: without it, every line would be left out."""
    missing = [column for column in schema["columns"] if column not in (found or [])]
    if missing:
        raise IngestionError("%s has no column %s" % (path, ", ".join(missing)))


def read_loans(path, schema, segments, currencies):
    """The loans of a file, in its order, and what was left out: `{"line": 7, "reason": "…"}`.

    Principals are decimals in the loan's own currency, rates are decimals for a year, terms are in months.
    """
    loans = []
    rejected = []
    seen = {}
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        check_columns(path, reader.fieldnames, schema)
        for row in reader:
            try:
                loan = {
                    "loan_id": row["loan_id"],
                    "borrower_id": row["borrower_id"],
                    "segment": row["segment"],
                    "product": row["product"],
                    "region": row["region"],
                    "currency": row["currency"],
                    "principal": parse_money(row["principal"]),
                    "annual_rate": parse_rate(row["annual_rate"]),
                    "term_months": parse_count(row["term_months"]),
                    "origination_date": parse_date(row["origination_date"]),
                }
            except (TypeError, ValueError) as error:
                rejected.append({"line": reader.line_num, "reason": str(error)})
                continue
            reason = None
            if not loan["loan_id"]:
                reason = "no loan_id"
            elif loan["loan_id"] in seen:
                reason = "`%s` was on line %d already" % (loan["loan_id"], seen[loan["loan_id"]])
            elif loan["segment"] not in segments:
                reason = "`%s` is no segment" % loan["segment"]
            elif loan["product"] not in segments[loan["segment"]]["products"]:
                reason = "`%s` is no product of %s" % (loan["product"], loan["segment"])
            elif loan["currency"] not in currencies["rates"]:
                reason = "`%s` is no currency with a rate" % loan["currency"]
            elif loan["principal"] == 0:
                reason = "the principal is 0"
            elif loan["annual_rate"] > Decimal(schema["annual_rate_max"]):
                reason = "the rate %s is above %s" % (loan["annual_rate"], schema["annual_rate_max"])
            elif not 1 <= loan["term_months"] <= schema["term_months_max"]:
                reason = "a term of %d months" % loan["term_months"]
            if reason is not None:
                rejected.append({"line": reader.line_num, "reason": reason})
                continue
            seen[loan["loan_id"]] = reader.line_num
            loans.append(loan)
    if not loans:
        raise IngestionError("%s has no loan that can be used" % path)
    return loans, rejected


def read_payments(path, schema, loans):
    """The installments of a file, in its order, and what was left out. Amounts are in the loan's currency."""
    payments = []
    rejected = []
    known = {loan["loan_id"] for loan in loans}
    seen = set()
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        check_columns(path, reader.fieldnames, schema)
        for row in reader:
            try:
                payment = {
                    "loan_id": row["loan_id"],
                    "installment": parse_count(row["installment"]),
                    "due_date": parse_date(row["due_date"]),
                    "scheduled_principal": parse_money(row["scheduled_principal"]),
                    "scheduled_interest": parse_money(row["scheduled_interest"]),
                    "paid_amount": parse_money(row["paid_amount"]),
                    "paid_date": parse_date(row["paid_date"]) if row["paid_date"] else None,
                }
            except (TypeError, ValueError) as error:
                rejected.append({"line": reader.line_num, "reason": str(error)})
                continue
            name = (payment["loan_id"], payment["installment"])
            reason = None
            if payment["loan_id"] not in known:
                reason = "`%s` is no loan" % payment["loan_id"]
            elif name in seen:
                reason = "installment %d of %s was there already" % (name[1], name[0])
            elif payment["paid_amount"] > 0 and payment["paid_date"] is None:
                reason = "an amount was paid without a date"
            if reason is not None:
                rejected.append({"line": reader.line_num, "reason": reason})
                continue
            seen.add(name)
            payments.append(payment)
    return payments, rejected
