"""Second stage: what explains the sales of a week: prices, caps now and some weeks before, season and trend."""
import datetime
import math

from .prepare import WEEK

FEATURES = (
    "log_own_price",
    "log_competitor_price",
    "own_cap",
    "competitor_cap",
    "own_cap_lag",
    "competitor_cap_lag",
    "season_sine",
    "season_cosine",
    "quarter_end",
    "trend",
)
COLUMNS = ("product", "week", "log_sales") + FEATURES


def competitor_mean(quote, what, competitors):
    """The mean of what the competitors quote (`price` or `cap`), by their shares of the market."""
    total = 0.0
    weight = 0.0
    for name in sorted(competitors):
        total += competitors[name] * quote["%s_%s" % (name, what)]
        weight += competitors[name]
    return total / weight


def season(week):
    """Sine and cosine of the part of the year that is over."""
    angle = 2.0 * math.pi * week.timetuple().tm_yday / 365.25
    return math.sin(angle), math.cos(angle)


def is_quarter_end(week):
    """Whether it is the last week of a quarter."""
    return week.month % 3 == 0 and (week + datetime.timedelta(days=7)).month != week.month


def years_since(first, week):
    """How many years of 52 weeks lie between two weeks."""
    return (week - first).days / 364.0


def lagged(quotes, product, week, weeks):
    """The quote of so many weeks before, by the calendar; nothing where there is none."""
    return quotes.get((product, week - weeks * WEEK))


def features_of(quote, week, first, settings):
    """The features of one week. `quote` gives the quote of so many weeks before."""
    competitors, lag = settings["competitors"], settings["lag_weeks"]
    sine, cosine = season(week)
    return {
        "log_own_price": math.log(quote(0)["own_price"]),
        "log_competitor_price": math.log(competitor_mean(quote(0), "price", competitors)),
        "own_cap": quote(0)["own_cap"],
        "competitor_cap": competitor_mean(quote(0), "cap", competitors),
        "own_cap_lag": quote(lag)["own_cap"],
        "competitor_cap_lag": competitor_mean(quote(lag), "cap", competitors),
        "season_sine": sine,
        "season_cosine": cosine,
        "quarter_end": 1.0 if is_quarter_end(week) else 0.0,
        "trend": years_since(first, week),
    }


def build_features(sales, quotes, settings):
    """One row for each row of sales whose quotes are known, now and some weeks before."""
    by_week = {(quote["product"], quote["week"]): quote for quote in quotes}
    firsts = {}
    for row in sales:
        firsts.setdefault(row["product"], row["week"])
    rows = []
    for row in sales:
        product, week = row["product"], row["week"]

        def quote(weeks, product=product, week=week):
            return lagged(by_week, product, week, weeks)

        if quote(0) is None or quote(settings["lag_weeks"]) is None:
            continue
        found = features_of(quote, week, firsts[product], settings)
        found.update(product=product, week=week, log_sales=math.log(row["sales"]))
        rows.append(found)
    return rows
