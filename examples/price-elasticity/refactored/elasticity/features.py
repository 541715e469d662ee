"""Second stage: what explains the sales of a week. Each feature is one line of `RECIPES`."""
import datetime
import math

from .prepare import WEEK


def competitor_mean(quote, what, competitors):
    """The mean of what the competitors quote (`price` or `cap`), by their shares of the market."""
    total = weight = 0.0
    for name, share in sorted(competitors.items()):
        total += share * quote["%s_%s" % (name, what)]
        weight += share
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


class Situation:
    """One week of one product: its quote, the quote some weeks before, and what the competitors quote on average."""

    def __init__(self, now, before, week, first, competitors):
        self.now, self.before, self.week, self.first = now, before, week, first
        self.competitors = competitors

    def is_known(self):
        """Whether there is a quote for both weeks."""
        return self.now is not None and self.before is not None

    def mean(self, quote, what):
        """What the competitors quote on average."""
        return competitor_mean(quote, what, self.competitors)


RECIPES = {
    "log_own_price": lambda at: math.log(at.now["own_price"]),
    "log_competitor_price": lambda at: math.log(at.mean(at.now, "price")),
    "own_cap": lambda at: at.now["own_cap"],
    "competitor_cap": lambda at: at.mean(at.now, "cap"),
    "own_cap_lag": lambda at: at.before["own_cap"],
    "competitor_cap_lag": lambda at: at.mean(at.before, "cap"),
    "season_sine": lambda at: season(at.week)[0],
    "season_cosine": lambda at: season(at.week)[1],
    "quarter_end": lambda at: float(is_quarter_end(at.week)),
    "trend": lambda at: years_since(at.first, at.week),
}
FEATURES = tuple(RECIPES)
COLUMNS = ("product", "week", "log_sales") + FEATURES


def build_features(sales, quotes, settings):
    """One row for each row of sales whose quotes are known, now and some weeks before."""
    by_week = {(quote["product"], quote["week"]): quote for quote in quotes}
    firsts, rows = {}, []
    for row in sales:
        product, week = row["product"], row["week"]
        now, before = (lagged(by_week, product, week, weeks) for weeks in (0, settings["lag_weeks"]))
        at = Situation(now, before, week, firsts.setdefault(product, week), settings["competitors"])
        if at.is_known():
            found = {"product": product, "week": week, "log_sales": math.log(row["sales"])}
            found.update((name, recipe(at)) for name, recipe in RECIPES.items())
            rows.append(found)
    return rows
