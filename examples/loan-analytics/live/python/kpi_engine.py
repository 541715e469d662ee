"""The key figures of the portfolio, from histories. All amounts are in the reporting currency."""
from decimal import Decimal

ZERO = Decimal("0.00")


def share(part, whole):
    """part / whole; nothing where there is no whole."""
    if whole == 0:
        return None
    return float(part) / float(whole)


def default_months(history, definitions):
    """The month in which a loan was first so late that it counts as defaulted, in a list, or no month."""
    for month in history["months"]:
        if month["days_past_due"] >= definitions["default_days"]:
            return [month["month"]]
    return []


def cure_months(history, definitions):
    """The months in which a loan that was delinquent owed nothing that was due."""
    cures = []
    delinquent = False
    for month in history["months"]:
        if month["days_past_due"] >= definitions["delinquent_days"]:
            delinquent = True
        elif delinquent and month["days_past_due"] == 0:
            cures.append(month["month"])
            delinquent = False
    return cures


def was_delinquent(history, definitions):
    """Whether a loan was ever delinquent at the end of a month."""
    for month in history["months"]:
        if month["days_past_due"] >= definitions["delinquent_days"]:
            return True
    return False


def is_active(history):
    """Whether something is outstanding at the end."""
    return history["months"][-1]["outstanding"] > 0


def status_of(history, definitions):
    """closed, current, late (some days), delinquent or defaulted."""
    last = history["months"][-1]
    if last["outstanding"] == 0 and last["days_past_due"] == 0:
        return "closed"
    if last["days_past_due"] == 0:
        return "current"
    if last["days_past_due"] < definitions["delinquent_days"]:
        return "late"
    if last["days_past_due"] < definitions["default_days"]:
        return "delinquent"
    return "defaulted"


def loan_status(histories, definitions):
    """One row a loan, by `loan_id`."""
    rows = []
    for history in histories:
        loan = history["loan"]
        last = history["months"][-1]
        paid = ZERO
        for month in history["months"]:
            paid += month["paid"]
        rows.append(
            {
                "loan_id": loan["loan_id"],
                "segment": loan["segment"],
                "product": loan["product"],
                "region": loan["region"],
                "currency": loan["currency"],
                "status": status_of(history, definitions),
                "days_past_due": last["days_past_due"],
                "outstanding_local": last["outstanding_local"],
                "outstanding_balance": last["outstanding"],
                "paid_to_date": paid,
                "ever_defaulted": len(default_months(history, definitions)) > 0,
                "cures": len(cure_months(history, definitions)),
            }
        )
    return rows


def outstanding_of(histories):
    """The balance of some loans at the end."""
    total = ZERO
    for history in histories:
        total += history["months"][-1]["outstanding"]
    return total


def par(histories, days):
    """Portfolio at risk: the share of the balance whose loans are so many days past due, or more."""
    late = ZERO
    for history in histories:
        if history["months"][-1]["days_past_due"] >= days:
            late += history["months"][-1]["outstanding"]
    return share(late, outstanding_of(histories))


def collection_rate(histories):
    """What was paid, of what was due, since the origination."""
    paid = ZERO
    scheduled = ZERO
    for history in histories:
        for month in history["months"]:
            paid += month["paid"]
            scheduled += month["scheduled"]
    return share(paid, scheduled)


def default_rate(histories, definitions):
    """The share of loans that ever defaulted."""
    defaulted = 0
    for history in histories:
        if default_months(history, definitions):
            defaulted += 1
    return share(defaulted, len(histories))


def cure_rate(histories, definitions):
    """The share of the loans that were ever delinquent which were cured at least once."""
    cured = 0
    delinquent = 0
    for history in histories:
        if was_delinquent(history, definitions):
            delinquent += 1
            if cure_months(history, definitions):
                cured += 1
    return share(cured, delinquent)


def average_rate(histories):
    """The annual rate, weighted by the balance."""
    weighted = 0.0
    for history in histories:
        weighted += float(history["months"][-1]["outstanding"]) * float(history["loan"]["annual_rate"])
    return share(weighted, outstanding_of(histories))


def average_days_past_due(histories):
    """The days past due of an active loan, on average."""
    days = 0
    active = 0
    for history in histories:
        if is_active(history):
            days += history["months"][-1]["days_past_due"]
            active += 1
    return share(days, active)


def segment_kpis(histories, segments, definitions):
    """One row a segment, by its name; also one for a segment that has no loan."""
    rows = []
    for segment in sorted(segments):
        own = [history for history in histories if history["loan"]["segment"] == segment]
        originated = ZERO
        for history in own:
            originated += history["originated"]
        rows.append(
            {
                "segment": segment,
                "label": segments[segment]["label"],
                "loans": len(own),
                "active_loans": len([history for history in own if is_active(history)]),
                "originated": originated,
                "outstanding_balance": outstanding_of(own),
                "par30": par(own, 30),
                "par60": par(own, 60),
                "par90": par(own, 90),
                "collection_rate": collection_rate(own),
                "default_rate": default_rate(own, definitions),
                "cure_rate": cure_rate(own, definitions),
                "average_rate": average_rate(own),
                "average_days_past_due": average_days_past_due(own),
            }
        )
    return rows


def monthly_kpis(histories, definitions):
    """One row a month, from the first to the last one in which there was a loan."""
    by_month = {}
    defaults = {}
    cures = {}
    for history in histories:
        for month in history["months"]:
            by_month.setdefault(month["month"], []).append((history["loan"], month))
        for month in default_months(history, definitions):
            defaults[month] = defaults.get(month, 0) + 1
        for month in cure_months(history, definitions):
            cures[month] = cures.get(month, 0) + 1
    rows = []
    for name in sorted(by_month):
        outstanding = ZERO
        scheduled = ZERO
        paid = ZERO
        late30 = ZERO
        late60 = ZERO
        late90 = ZERO
        weighted = 0.0
        active = 0
        for loan, month in by_month[name]:
            outstanding += month["outstanding"]
            scheduled += month["scheduled"]
            paid += month["paid"]
            weighted += float(month["outstanding"]) * float(loan["annual_rate"])
            if month["outstanding"] > 0:
                active += 1
            if month["days_past_due"] >= 30:
                late30 += month["outstanding"]
            if month["days_past_due"] >= 60:
                late60 += month["outstanding"]
            if month["days_past_due"] >= 90:
                late90 += month["outstanding"]
        rows.append(
            {
                "month": name,
                "active_loans": active,
                "outstanding_balance": outstanding,
                "scheduled": scheduled,
                "collected": paid,
                "collection_rate": share(paid, scheduled),
                "par30": share(late30, outstanding),
                "par60": share(late60, outstanding),
                "par90": share(late90, outstanding),
                "average_rate": share(weighted, outstanding),
                "new_defaults": defaults.get(name, 0),
                "cures": cures.get(name, 0),
            }
        )
    return rows


def segment_monthly(histories, definitions):
    """One row a segment and month, by their names."""
    rows = []
    for segment in sorted({history["loan"]["segment"] for history in histories}):
        own = [history for history in histories if history["loan"]["segment"] == segment]
        for row in monthly_kpis(own, definitions):
            row["segment"] = segment
            rows.append(row)
    return rows


def bucket_names(definitions):
    """`current`, `1-29`, …, `120+`: how many days past due."""
    bounds = definitions["aging_days"]
    names = ["current"]
    for index, bound in enumerate(bounds):
        if index + 1 < len(bounds):
            names.append("%d-%d" % (bound, bounds[index + 1] - 1))
        else:
            names.append("%d+" % bound)
    return names


def bucket_of(days, definitions):
    """Which bucket, counted from 0."""
    bucket = 0
    for bound in definitions["aging_days"]:
        if days >= bound:
            bucket += 1
    return bucket


def aging_buckets(histories, definitions):
    """One row a segment and bucket: the active loans, and what of the segment's balance they owe."""
    rows = []
    for segment in sorted({history["loan"]["segment"] for history in histories}):
        own = [history for history in histories if history["loan"]["segment"] == segment]
        own = [history for history in own if is_active(history)]
        whole = outstanding_of(own)
        for bucket, name in enumerate(bucket_names(definitions)):
            inside = []
            for history in own:
                if bucket_of(history["months"][-1]["days_past_due"], definitions) == bucket:
                    inside.append(history)
            rows.append(
                {
                    "segment": segment,
                    "bucket": name,
                    "loans": len(inside),
                    "outstanding_balance": outstanding_of(inside),
                    "share": share(outstanding_of(inside), whole),
                }
            )
    return rows


def count_by(histories, column):
    """How many loans there are and what they owe, by the values of one of their columns."""
    result = {}
    for value in sorted({history["loan"][column] for history in histories}):
        own = [history for history in histories if history["loan"][column] == value]
        result[value] = {"loans": len(own), "outstanding_balance": float(outstanding_of(own))}
    return result


def portfolio_summary(histories, definitions, reporting_date, currency, quality):
    """The whole portfolio at the reporting date. `quality` says how many lines were read and left out."""
    return {
        "reporting_date": reporting_date.isoformat(),
        "reporting_currency": currency,
        "loans": len(histories),
        "active_loans": len([history for history in histories if is_active(history)]),
        "outstanding_balance": float(outstanding_of(histories)),
        "kpis": {
            "par30": par(histories, 30),
            "par60": par(histories, 60),
            "par90": par(histories, 90),
            "collection_rate": collection_rate(histories),
            "default_rate": default_rate(histories, definitions),
            "cure_rate": cure_rate(histories, definitions),
            "average_rate": average_rate(histories),
        },
        "by_region": count_by(histories, "region"),
        "by_currency": count_by(histories, "currency"),
        "by_product": count_by(histories, "product"),
        "quality": quality,
    }


def alerts(summary, thresholds, channels):
    """The key figures of the portfolio that are beyond a limit, with the channel that is to hear of it."""
    found = []
    for kpi in sorted(thresholds):
        value = summary["kpis"][kpi]
        if value is None:
            continue
        for severity in ("critical", "warning"):
            limit = thresholds[kpi][severity]
            beyond = value > limit if thresholds[kpi]["worse"] == "above" else value < limit
            if beyond:
                found.append(
                    {
                        "kpi": kpi,
                        "value": value,
                        "limit": limit,
                        "severity": severity,
                        "channel": channels[severity],
                    }
                )
                break
    return {"reporting_date": summary["reporting_date"], "alerts": found}
