"""Phase 2: from installments to histories, in one walk along the months of each loan."""
import calendar
import datetime
import functools
from collections import defaultdict
from decimal import ROUND_HALF_EVEN, Decimal

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


@functools.lru_cache(maxsize=None)
def month_end(year, month):
    """The last day of a month."""
    return datetime.date(year, month, calendar.monthrange(year, month)[1])


def month_ends(first, last):
    """The ends of all months from that of `first` to that of `last`."""
    start, stop = (day.year * 12 + day.month - 1 for day in (first, last))
    return [month_end(index // 12, index % 12 + 1) for index in range(start, stop + 1)]


def convert(amount, rate):
    """An amount at a rate of exchange, rounded to cents, half to even."""
    return (amount * rate).quantize(CENT, ROUND_HALF_EVEN)


def to_reporting(amount, currency, currencies):
    """An amount in the reporting currency."""
    return convert(amount, Decimal(currencies["rates"][currency]))


class Account:
    """What is settled of one loan: money settles the oldest installment, and of it the interest, first."""

    def __init__(self, principal, installments):
        self.principal = principal
        self.installments = installments
        self.settled = 0
        self.repaid = ZERO
        # What was paid beyond the installments that are settled.
        self.left = ZERO

    def pay(self, amount):
        """Takes money in: as many installments are settled as it is enough for."""
        self.left += amount
        while self.settled < len(self.installments):
            installment = self.installments[self.settled]
            total = installment["scheduled_principal"] + installment["scheduled_interest"]
            if self.left < total:
                break
            self.left -= total
            self.repaid += installment["scheduled_principal"]
            self.settled += 1

    def outstanding(self):
        """The principal that is not repaid. What is paid beyond all installments reduces it."""
        free = self.left
        if self.settled < len(self.installments):
            free = max(ZERO, free - self.installments[self.settled]["scheduled_interest"])
        return max(ZERO, self.principal - self.repaid - free)

    def days_past_due(self, day):
        """The days since the oldest installment that is not settled was due."""
        if self.settled == len(self.installments):
            return 0
        return max(0, (day - self.installments[self.settled]["due_date"]).days)


def position(principal, installments, paid, day):
    """What is outstanding, and for how many days something is past due, after `paid` was paid in all."""
    account = Account(principal, installments)
    account.pay(paid)
    return account.outstanding(), account.days_past_due(day)


def by_month_end(events, ends):
    """The amounts of each month. Events are days and amounts; what came earlier is in the first month."""
    sums = dict.fromkeys(((end.year, end.month) for end in ends), ZERO)
    first = (ends[0].year, ends[0].month)
    for day, amount in events:
        month = (day.year, day.month)
        sums[month if month > first else first] += amount
    return sums


def build_history(loan, payments, reporting_date, currencies):
    """One loan with its months, from its origination to the reporting date or until it is repaid.

    `outstanding`, `scheduled` and `paid` are in the reporting currency, `outstanding_local` is in that of the
    loan, `days_past_due` are counted at the end of the month.
    """
    installments = [payment for payment in payments if payment["due_date"] <= reporting_date]
    installments.sort(key=lambda payment: payment["installment"])
    ends = month_ends(loan["origination_date"], reporting_date)
    due = [(row["due_date"], row["scheduled_principal"] + row["scheduled_interest"]) for row in installments]
    paid = [(row["paid_date"], row["paid_amount"]) for row in installments if row["paid_date"] is not None]
    scheduled = by_month_end(due, ends)
    collected = by_month_end([event for event in paid if event[0] <= reporting_date], ends)
    rate = Decimal(currencies["rates"][loan["currency"]])
    account = Account(loan["principal"], installments)
    months = []
    for end in ends:
        month = (end.year, end.month)
        account.pay(collected[month])
        outstanding = account.outstanding()
        days_past_due = account.days_past_due(min(end, reporting_date))
        months.append(
            {
                "month": "%04d-%02d" % month,
                "outstanding": convert(outstanding, rate),
                "outstanding_local": outstanding,
                "days_past_due": days_past_due,
                "scheduled": convert(scheduled[month], rate),
                "paid": convert(collected[month], rate),
            }
        )
        if outstanding == 0 and days_past_due == 0:
            break
    return {"loan": loan, "originated": convert(loan["principal"], rate), "months": months}


def build_histories(loans, payments, reporting_date, currencies):
    """The histories of all loans that exist at the reporting date, by `loan_id`."""
    by_loan = defaultdict(list)
    for payment in payments:
        by_loan[payment["loan_id"]].append(payment)
    existing = [loan for loan in loans if loan["origination_date"] <= reporting_date]
    existing.sort(key=lambda loan: loan["loan_id"])
    return [build_history(loan, by_loan[loan["loan_id"]], reporting_date, currencies) for loan in existing]
