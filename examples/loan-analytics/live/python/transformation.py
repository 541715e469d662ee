"""From installments to histories: where each loan stood at the end of each month."""
import calendar
import datetime
from decimal import ROUND_HALF_EVEN, Decimal

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


def month_end(year, month):
    """The last day of a month."""
    return datetime.date(year, month, calendar.monthrange(year, month)[1])


def month_ends(first, last):
    """The ends of all months from that of `first` to that of `last`."""
    ends = []
    year, month = first.year, first.month
    while (year, month) <= (last.year, last.month):
        ends.append(month_end(year, month))
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return ends


def to_reporting(amount, currency, currencies):
    """An amount in the reporting currency, rounded to cents, half to even."""
    return (amount * Decimal(currencies["rates"][currency])).quantize(CENT, ROUND_HALF_EVEN)


def position(principal, installments, paid, day):
    """What is outstanding, and for how many days something is past due, after `paid` was paid in all.

    Money settles the oldest installment first, and of an installment the interest first. What is left when
    all installments are settled reduces the principal.
    """
    repaid = ZERO
    oldest_due = None
    left = paid
    for installment in installments:
        interest = installment["scheduled_interest"]
        total = installment["scheduled_principal"] + interest
        if left < total:
            if left > interest:
                repaid += left - interest
            left = ZERO
            oldest_due = installment["due_date"]
            break
        repaid += installment["scheduled_principal"]
        left -= total
    repaid += left
    outstanding = max(ZERO, principal - repaid)
    days_past_due = 0
    if oldest_due is not None and oldest_due < day:
        days_past_due = (day - oldest_due).days
    return outstanding, days_past_due


def build_history(loan, payments, reporting_date, currencies):
    """One loan with its months, from its origination to the reporting date or until it is repaid.

    `outstanding`, `scheduled` and `paid` are in the reporting currency, `outstanding_local` is in that of the
    loan, `days_past_due` are counted at the end of the month.
    """
    payments = [payment for payment in payments if payment["due_date"] <= reporting_date]
    payments.sort(key=lambda payment: payment["installment"])
    months = []
    scheduled_before = ZERO
    paid_before = ZERO
    for day in month_ends(loan["origination_date"], reporting_date):
        day = min(day, reporting_date)
        scheduled = ZERO
        paid = ZERO
        for payment in payments:
            if payment["due_date"] <= day:
                scheduled += payment["scheduled_principal"] + payment["scheduled_interest"]
            if payment["paid_date"] is not None and payment["paid_date"] <= day:
                paid += payment["paid_amount"]
        outstanding, days_past_due = position(loan["principal"], payments, paid, day)
        months.append(
            {
                "month": day.strftime("%Y-%m"),
                "outstanding": to_reporting(outstanding, loan["currency"], currencies),
                "outstanding_local": outstanding,
                "days_past_due": days_past_due,
                "scheduled": to_reporting(scheduled - scheduled_before, loan["currency"], currencies),
                "paid": to_reporting(paid - paid_before, loan["currency"], currencies),
            }
        )
        scheduled_before = scheduled
        paid_before = paid
        if outstanding == 0 and days_past_due == 0:
            break
    return {
        "loan": loan,
        "originated": to_reporting(loan["principal"], loan["currency"], currencies),
        "months": months,
    }


def build_histories(loans, payments, reporting_date, currencies):
    """The histories of all loans that exist at the reporting date, by `loan_id`."""
    by_loan = {}
    for payment in payments:
        by_loan.setdefault(payment["loan_id"], []).append(payment)
    histories = []
    for loan in sorted(loans, key=lambda loan: loan["loan_id"]):
        if loan["origination_date"] <= reporting_date:
            own = by_loan.get(loan["loan_id"], [])
            histories.append(build_history(loan, own, reporting_date, currencies))
    return histories
