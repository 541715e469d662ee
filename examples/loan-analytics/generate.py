"""Writes a made-up loan tape, `loans.csv` and `payments.csv`: for one seed the same bytes on every Python.

Of the random generator only `random()` is used, and of arithmetic only what IEEE 754 and integers fix: no
`choice`, no logarithm, no set, no hash. Money is counted in cents, and written as decimals with two places.
"""
import argparse
import datetime
import os
import random
import sys

REPORTING_DATE = datetime.date(2025, 12, 31)
OLDEST_MONTHS = 33
REGIONS = ("north", "south", "east", "west", "central")

# By segment: weight among all loans, products, smallest and largest principal (in whole units of its
# currency), lowest and highest annual rate (basis points), terms (months), the shares of loans in USD, and
# in USD or EUR (the rest is in GBP), and how likely a borrower who is up to date misses an installment.
SEGMENTS = {
    "agriculture": (0.13, ("seasonal", "machinery"), 4000, 60000, 900, 1800, (12, 18, 24), 0.9, 0.95, 0.034),
    "auto": (0.18, ("new-car", "used-car"), 6000, 35000, 600, 1500, (24, 36, 48), 0.80, 0.95, 0.018),
    "business": (0.2, ("working-capital", "equipment"), 5000, 90000, 1000, 2400, (12, 24), 0.7, 0.9, 0.03),
    "housing": (0.11, ("renovation", "bridge"), 15000, 120000, 450, 950, (36, 48, 60), 0.70, 0.90, 0.010),
    "retail": (0.28, ("personal", "card-plan"), 500, 12000, 1400, 3200, (6, 12, 18, 24), 0.85, 0.95, 0.042),
    "trade": (0.10, ("invoice", "import"), 10000, 150000, 700, 1600, (6, 9, 12), 0.45, 0.80, 0.022),
}

# What a borrower with so many unpaid installments does next: the chance to pay nothing, and to pay everything
# that is due. Otherwise one installment is paid, and the arrears stay. The last entry is for larger arrears.
BEHAVIOUR = ((0.0, 0.0), (0.36, 0.40), (0.52, 0.24), (0.66, 0.14), (0.88, 0.05))
LATE_SHARE = 0.22
LATE_DAYS_MAX = 20

# The first loans follow a script, so that in each segment some loan defaulted and some loan was cured,
# whatever the seed: no ratio of a segment is ever zero.
SCRIPTS = ("defaults", "cures")
LOANS_MIN = len(SCRIPTS) * len(SEGMENTS)

LOAN_COLUMNS = (
    "loan_id,borrower_id,segment,product,region,currency,principal,annual_rate,term_months,origination_date"
)
PAYMENT_COLUMNS = "loan_id,installment,due_date,scheduled_principal,scheduled_interest,paid_amount,paid_date"


def pick(chance, items):
    """One of the items, all equally likely."""
    return items[int(chance() * len(items))]


def pick_segment(chance):
    """A segment, as likely as its weight."""
    left = chance()
    for name in SEGMENTS:
        left -= SEGMENTS[name][0]
        if left < 0:
            return name
    return name


def money(cents):
    """Cents as a decimal with two places."""
    return "%d.%02d" % (cents // 100, cents % 100)


def month_later(date, months):
    """The same day of the month, so many months later. The day is at most 28, so that every month has it."""
    index = date.year * 12 + date.month - 1 + months
    return datetime.date(index // 12, index % 12 + 1, date.day)


def make_loan(chance, number):
    """One loan: a dictionary with its principal in cents and its annual rate in basis points."""
    scripted = number < LOANS_MIN
    segment = list(SEGMENTS)[number % len(SEGMENTS)] if scripted else pick_segment(chance)
    _, products, smallest, largest, lowest, highest, terms, dollars, euros, missing = SEGMENTS[segment]
    # Small loans are more frequent than large ones: the square bends the even chance towards zero.
    size = chance()
    principal = int((smallest + (largest - smallest) * size * size) / 50) * 5000
    rate_bp = lowest + int((highest - lowest) * chance() / 5) * 5
    share = chance()
    currency = "USD" if share < dollars else "EUR" if share < euros else "GBP"
    age_months = 1 + int(chance() * OLDEST_MONTHS)
    day = 1 + int(chance() * 28)
    term_months = pick(chance, terms)
    if scripted:
        # Old enough to default, and too young to be over.
        age_months, term_months = 10, 24
    return {
        "loan_id": "L%06d" % (number + 1),
        "borrower_id": "B%06d" % (1 + int(chance() * 900000)),
        "segment": segment,
        "product": pick(chance, products),
        "region": pick(chance, REGIONS),
        "currency": currency,
        "principal": principal,
        "rate_bp": rate_bp,
        "term_months": term_months,
        "origination_date": month_later(datetime.date(2025, 12, day), -age_months),
        # Some borrowers miss more often than others of their segment.
        "missing": missing * (0.4 + 1.2 * chance()),
        "script": SCRIPTS[number // len(SEGMENTS)] if scripted else None,
    }


def schedule(loan):
    """The installments of a loan with level payments: principal and interest in cents, one pair a month."""
    rate, months, left = loan["rate_bp"] / 120000.0, loan["term_months"], loan["principal"]
    growth = 1.0
    for _ in range(months):
        growth *= 1.0 + rate
    level = int(left * rate * growth / (growth - 1.0) + 0.5)
    parts = []
    for month in range(1, months + 1):
        interest = (left * loan["rate_bp"] + 60000) // 120000
        principal = left if month == months else min(left, level - interest)
        parts.append((principal, interest))
        left -= principal
    return parts


def missed_installments(arrears, level):
    """How many installments are unpaid, a started one included."""
    return (arrears + level - 1) // level if level else 0


def pay(chance, loan, month, arrears, scheduled, level):
    """How many cents are paid in a month. `arrears` are what was unpaid before it."""
    due = arrears + scheduled
    if loan["script"] == "defaults":
        return 0 if month > 3 else due
    if loan["script"] == "cures":
        return 0 if month in (4, 5) else due
    missed = missed_installments(arrears, level)
    if missed == 0:
        return 0 if chance() < loan["missing"] else due
    nothing, everything = BEHAVIOUR[min(missed, len(BEHAVIOUR) - 1)]
    choice = chance()
    if choice < nothing:
        return 0
    if choice < nothing + everything:
        return due
    # A part of an installment is paid now and then, so that the oldest one is often only half paid.
    return min(due, level // 2 if chance() < 0.3 else level)


def make_payments(chance, loan):
    """The lines of `payments.csv` for one loan, up to the reporting date."""
    lines = []
    parts = schedule(loan)
    level = parts[0][0] + parts[0][1]
    arrears = 0
    month = 0
    while True:
        month += 1
        due_date = month_later(loan["origination_date"], month)
        principal, interest = parts[month - 1] if month <= len(parts) else (0, 0)
        if due_date > REPORTING_DATE or (month > len(parts) and arrears == 0):
            return lines
        paid = pay(chance, loan, month, arrears, principal + interest, level)
        paid_date = due_date
        if chance() < LATE_SHARE and loan["script"] is None:
            paid_date += datetime.timedelta(days=1 + int(chance() * LATE_DAYS_MAX))
        if paid_date > REPORTING_DATE:
            # It will be paid, but the tape does not know that yet.
            paid = 0
        arrears += principal + interest - paid
        lines.append(
            "%s,%d,%s,%s,%s,%s,%s\n"
            % (
                loan["loan_id"],
                month,
                due_date.isoformat(),
                money(principal),
                money(interest),
                money(paid),
                paid_date.isoformat() if paid else "",
            )
        )


def loan_line(loan):
    """The line of `loans.csv` for one loan."""
    fields = (
        loan["loan_id"],
        loan["borrower_id"],
        loan["segment"],
        loan["product"],
        loan["region"],
        loan["currency"],
        money(loan["principal"]),
        "%d.%04d" % (loan["rate_bp"] // 10000, loan["rate_bp"] % 10000),
        str(loan["term_months"]),
        loan["origination_date"].isoformat(),
    )
    return ",".join(fields) + "\n"


def write_tape(seed, count, out):
    """Writes both files into the folder `out`; returns how many payments there are."""
    chance = random.Random(seed).random
    os.makedirs(out, exist_ok=True)
    loans, payments = [LOAN_COLUMNS + "\n"], [PAYMENT_COLUMNS + "\n"]
    for number in range(count):
        loan = make_loan(chance, number)
        loans.append(loan_line(loan))
        payments.extend(make_payments(chance, loan))
    for name, lines in (("loans.csv", loans), ("payments.csv", payments)):
        with open(os.path.join(out, name), "w", encoding="ascii", newline="") as file:
            file.writelines(lines)
    return len(payments) - 1


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, required=True, help="the same seed gives the same tape")
    parser.add_argument("--loans", type=int, default=5000, help="how many loans (5000)")
    parser.add_argument("--out", required=True, help="the folder for loans.csv and payments.csv")
    options = parser.parse_args(arguments)
    if options.loans < LOANS_MIN:
        parser.error("--loans must be %d or more, so that no segment is without a case" % LOANS_MIN)
    payments = write_tape(options.seed, options.loans, options.out)
    print("%d loans and %d payments in %s" % (options.loans, payments, options.out))


if __name__ == "__main__":
    main(sys.argv[1:])
