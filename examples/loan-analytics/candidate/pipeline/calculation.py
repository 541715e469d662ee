"""Phase 3: the key figures of the portfolio, gathered in one pass, with amounts in the reporting currency."""
import bisect
import math
from collections import defaultdict
from decimal import Decimal

ZERO = Decimal("0.00")
PAR_DAYS = (30, 60, 90)


def share(part, whole):
    """part / whole; nothing where there is no whole."""
    return float(part / whole) if whole else None


class Balances:
    """What some loans owe at one moment, and what came in until then or in that month."""

    __slots__ = ("active", "collected", "late", "outstanding", "scheduled", "weighted")

    def __init__(self):
        self.active = 0
        self.outstanding = ZERO
        # The part of the balance that is so many days past due, or more.
        self.late = dict.fromkeys(PAR_DAYS, ZERO)
        self.scheduled = ZERO
        self.collected = ZERO
        # Balance times annual rate, loan by loan: summed with a single rounding, in `average_rate`.
        self.weighted = []

    def add(self, month, rate):
        """Adds the balance of one loan at the end of a month. Flows are added by whoever knows the period."""
        outstanding = month["outstanding"]
        if outstanding:
            self.active += 1
            self.outstanding += outstanding
            self.weighted.append(float(outstanding) * rate)
            for days in PAR_DAYS:
                if month["days_past_due"] >= days:
                    self.late[days] += outstanding

    def add_flows(self, scheduled, collected):
        """Adds what was due and what was paid."""
        self.scheduled += scheduled
        self.collected += collected

    def par(self, days):
        """Portfolio at risk: the share of the balance whose loans are so many days past due, or more."""
        return share(self.late[days], self.outstanding)

    def collection_rate(self):
        """What was paid, of what was due."""
        return share(self.collected, self.scheduled)

    def average_rate(self):
        """The annual rate, weighted by the balance."""
        return math.fsum(self.weighted) / float(self.outstanding) if self.outstanding else None


class Group:
    """Some loans at the end of their histories."""

    __slots__ = ("balances", "buckets", "cured", "days", "defaulted", "delinquent", "loans", "originated")

    def __init__(self):
        self.loans = 0
        self.originated = ZERO
        self.balances = Balances()
        self.delinquent = 0
        self.defaulted = 0
        self.cured = 0
        # Days past due of all active loans.
        self.days = 0
        # Loans and what they owe, by the number of their aging bucket.
        self.buckets = defaultdict(lambda: [0, ZERO])


class Month:
    """Some loans at the end of a month."""

    __slots__ = ("balances", "cures", "defaults")

    def __init__(self):
        self.balances = Balances()
        self.defaults = 0
        self.cures = 0


class Gathered:
    """Everything that a run needs, by what it is asked for."""

    def __init__(self):
        self.whole = Group()
        self.segments = defaultdict(Group)
        self.months = defaultdict(Month)
        self.segment_months = defaultdict(Month)
        self.statuses = []
        # Loans and what they owe, by column and value.
        self.counts = {column: defaultdict(lambda: [0, ZERO]) for column in ("region", "currency", "product")}


def gather(histories, definitions):
    """One pass over all months of all loans."""
    gathered = Gathered()
    for history in histories:
        gather_one(gathered, history, definitions)
    return gathered


def gather_one(gathered, history, definitions):
    """Adds one loan, month by month, then as it stands at the end."""
    loan, last = history["loan"], history["months"][-1]
    rate = float(loan["annual_rate"])
    delinquent, defaulted, waits, cures = False, False, False, 0
    scheduled, collected = ZERO, ZERO
    for month in history["months"]:
        days = month["days_past_due"]
        default = days >= definitions["default_days"] and not defaulted
        cure = waits and days == 0
        if days >= definitions["delinquent_days"]:
            delinquent = waits = True
        elif cure:
            waits = False
            cures += 1
        defaulted = defaulted or default
        scheduled += month["scheduled"]
        collected += month["paid"]
        name = month["month"]
        for place in (gathered.months[name], gathered.segment_months[loan["segment"], name]):
            place.balances.add(month, rate)
            place.balances.add_flows(month["scheduled"], month["paid"])
            place.defaults += default
            place.cures += cure
    for group in (gathered.whole, gathered.segments[loan["segment"]]):
        group.loans += 1
        group.originated += history["originated"]
        group.balances.add(last, rate)
        group.balances.add_flows(scheduled, collected)
        group.delinquent += delinquent
        group.defaulted += defaulted
        group.cured += cures > 0
        if last["outstanding"]:
            group.days += last["days_past_due"]
            bucket = group.buckets[bisect.bisect_right(definitions["aging_days"], last["days_past_due"])]
            bucket[0] += 1
            bucket[1] += last["outstanding"]
    for column, values in gathered.counts.items():
        values[loan[column]][0] += 1
        values[loan[column]][1] += last["outstanding"]
    gathered.statuses.append(
        {
            "loan_id": loan["loan_id"],
            "segment": loan["segment"],
            "product": loan["product"],
            "region": loan["region"],
            "currency": loan["currency"],
            "status": status_of(last, definitions),
            "days_past_due": last["days_past_due"],
            "outstanding_local": last["outstanding_local"],
            "outstanding_balance": last["outstanding"],
            "paid_to_date": collected,
            "ever_defaulted": defaulted,
            "cures": cures,
        }
    )


def status_of(last, definitions):
    """closed, current, late (some days), delinquent or defaulted."""
    days = last["days_past_due"]
    if days == 0:
        return "current" if last["outstanding"] else "closed"
    if days < definitions["delinquent_days"]:
        return "late"
    return "delinquent" if days < definitions["default_days"] else "defaulted"


def segment_rows(gathered, segments):
    """One row a segment, by its name; also one for a segment that has no loan."""
    rows = []
    for segment in sorted(segments):
        group = gathered.segments.get(segment) or Group()
        balances = group.balances
        rows.append(
            {
                "segment": segment,
                "label": segments[segment]["label"],
                "loans": group.loans,
                "active_loans": balances.active,
                "originated": group.originated,
                "outstanding_balance": balances.outstanding,
                "par30": balances.par(30),
                "par60": balances.par(60),
                "par90": balances.par(90),
                "collection_rate": balances.collection_rate(),
                "default_rate": ratio(group.defaulted, group.loans),
                "cure_rate": ratio(group.cured, group.delinquent),
                "average_rate": balances.average_rate(),
                "average_days_past_due": ratio(group.days, balances.active),
            }
        )
    return rows


def ratio(part, whole):
    """One count in another; nothing where there is no whole."""
    return part / whole if whole else None


def month_row(month):
    """The figures of one month."""
    balances = month.balances
    return {
        "active_loans": balances.active,
        "outstanding_balance": balances.outstanding,
        "scheduled": balances.scheduled,
        "collected": balances.collected,
        "collection_rate": balances.collection_rate(),
        "par30": balances.par(30),
        "par60": balances.par(60),
        "par90": balances.par(90),
        "average_rate": balances.average_rate(),
        "new_defaults": month.defaults,
        "cures": month.cures,
    }


def month_rows(gathered):
    """One row a month, from the first to the last one in which there was a loan."""
    return [dict(month_row(gathered.months[name]), month=name) for name in sorted(gathered.months)]


def segment_month_rows(gathered):
    """One row a segment and month, by their names."""
    places = sorted(gathered.segment_months)
    return [
        dict(month_row(gathered.segment_months[place]), segment=place[0], month=place[1]) for place in places
    ]


def bucket_names(definitions):
    """`current`, `1-29`, …, `120+`: how many days past due."""
    bounds = definitions["aging_days"]
    spans = ["%d-%d" % (low, high - 1) for low, high in zip(bounds, bounds[1:])]
    return ["current"] + spans + ["%d+" % bounds[-1]]


def aging_rows(gathered, definitions):
    """One row a segment and bucket: the active loans, and what of the segment's balance they owe."""
    rows = []
    for segment in sorted(gathered.segments):
        group = gathered.segments[segment]
        for number, name in enumerate(bucket_names(definitions)):
            loans, outstanding = group.buckets.get(number, (0, ZERO))
            rows.append(
                {
                    "segment": segment,
                    "bucket": name,
                    "loans": loans,
                    "outstanding_balance": outstanding,
                    "share": share(outstanding, group.balances.outstanding),
                }
            )
    return rows


def summary_document(gathered, reporting_date, currency, quality):
    """The whole portfolio at the reporting date. `quality` says how many lines were read and left out."""
    whole = gathered.whole
    balances = whole.balances
    document = {
        "reporting_date": reporting_date.isoformat(),
        "reporting_currency": currency,
        "loans": whole.loans,
        "active_loans": balances.active,
        "outstanding_balance": float(balances.outstanding),
        "kpis": {
            "par30": balances.par(30),
            "par60": balances.par(60),
            "par90": balances.par(90),
            "collection_rate": balances.collection_rate(),
            "default_rate": ratio(whole.defaulted, whole.loans),
            "cure_rate": ratio(whole.cured, whole.delinquent),
            "average_rate": balances.average_rate(),
        },
        "quality": quality,
    }
    for column, values in gathered.counts.items():
        document["by_" + column] = {
            value: {"loans": loans, "outstanding_balance": float(outstanding)}
            for value, (loans, outstanding) in values.items()
        }
    return document


def alerts(summary, thresholds, channels):
    """The key figures of the portfolio that are beyond a limit, with the channel that is to hear of it."""
    found = []
    for kpi, limits in sorted(thresholds.items()):
        value = summary["kpis"][kpi]
        sign = 1 if limits["worse"] == "above" else -1
        for severity in ("critical", "warning"):
            if value is not None and sign * value > sign * limits[severity]:
                channel = channels[severity]
                alert = {"kpi": kpi, "value": value, "limit": limits[severity]}
                found.append(dict(alert, severity=severity, channel=channel))
                break
    return {"reporting_date": summary["reporting_date"], "alerts": found}


# The first version's functions, each of which gathers for itself: for callers that need one result only.


def loan_status(histories, definitions):
    """One row a loan, by `loan_id`."""
    return gather(histories, definitions).statuses


def segment_kpis(histories, segments, definitions):
    """The rows of `segment_rows`."""
    return segment_rows(gather(histories, definitions), segments)


def monthly_kpis(histories, definitions):
    """The rows of `month_rows`."""
    return month_rows(gather(histories, definitions))


def segment_monthly(histories, definitions):
    """The rows of `segment_month_rows`."""
    return segment_month_rows(gather(histories, definitions))


def aging_buckets(histories, definitions):
    """The rows of `aging_rows`."""
    return aging_rows(gather(histories, definitions), definitions)


def portfolio_summary(histories, definitions, reporting_date, currency, quality):
    """The document of `summary_document`."""
    return summary_document(gather(histories, definitions), reporting_date, currency, quality)
