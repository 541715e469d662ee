"""First stage: what was sold and what was quoted, once for each product and week, and what was left out."""
import datetime

from .tables import InputError, read_date, read_number, read_table

WEEK = datetime.timedelta(days=7)
SALES_COLUMNS = ("week", "product", "sales")
QUOTES_COLUMNS = ("week", "product", "provider", "price", "cap_rate")
OWN = "own"


def read_sales(path, products):
    """Rows of product, week and sales (millions), sorted; and what was left out, counted by reason.

    A later line of the same product and week corrects an earlier one.
    """
    found = {}
    counts = {"sales_read": 0, "no_figure": 0, "not_positive": 0, "unknown_product": 0, "corrected": 0}
    for place, line in read_table(path, SALES_COLUMNS):
        counts["sales_read"] += 1
        if line["product"] not in products:
            counts["unknown_product"] += 1
            continue
        if line["sales"] == "":
            counts["no_figure"] += 1
            continue
        sales = read_number(line["sales"], place)
        if sales <= 0.0:
            counts["not_positive"] += 1
            continue
        key = (line["product"], read_date(line["week"], place))
        counts["corrected"] += key in found
        found[key] = sales
    rows = [{"product": product, "week": week, "sales": found[product, week]} for product, week in sorted(found)]
    return rows, counts


def read_quotes(path, products, providers):
    """Price and cap rate (both percent) by product and provider, and then by week."""
    quotes = {(product, provider): {} for product in products for provider in providers}
    read = 0
    for place, line in read_table(path, QUOTES_COLUMNS):
        read += 1
        known = quotes.get((line["product"], line["provider"]))
        if known is None:
            continue
        price, cap = read_number(line["price"], place), read_number(line["cap_rate"], place)
        if price <= 0.0 or cap <= 0.0:
            raise InputError("%s: a price or a cap rate that is not above 0" % place)
        known[read_date(line["week"], place)] = (price, cap)
    return quotes, read


def carry(quotes, weeks, weeks_max):
    """Fills missing weeks with the quote before, for at most so many weeks; returns quotes by week, how many."""
    filled, carried, age = {}, 0, 0
    last = None
    for week in weeks:
        if week in quotes:
            last, age = quotes[week], 0
        else:
            age += 1
        if last is not None and age <= weeks_max:
            filled[week] = last
            carried += age > 0
    return filled, carried


def all_weeks(dates):
    """Every seventh day from the first to the last date."""
    weeks = []
    week, last = min(dates), max(dates)
    while week <= last:
        weeks.append(week)
        week += WEEK
    return weeks


def quote_columns(providers):
    """The columns of the table of quotes: a price and a cap for each provider."""
    return ["product", "week"] + ["%s_%s" % (name, what) for name in providers for what in ("price", "cap")]


def join_quotes(quotes, products, providers, weeks_max):
    """One row for each product and week in which every provider is known; and how many quotes were carried."""
    rows, total = [], 0
    for product in sorted(products):
        dates = [week for provider in providers for week in quotes[product, provider]]
        if not dates:
            raise InputError("there is no quote for `%s`" % product)
        weeks = all_weeks(dates)
        by_provider = {}
        for provider in providers:
            by_provider[provider], carried = carry(quotes[product, provider], weeks, weeks_max)
            total += carried
        for week in weeks:
            if not all(week in by_provider[provider] for provider in providers):
                continue
            row = {"product": product, "week": week}
            for provider in providers:
                row[provider + "_price"], row[provider + "_cap"] = by_provider[provider][week]
            rows.append(row)
    return rows, total


def prepare(sales_path, quotes_path, settings):
    """The whole stage: rows of sales, rows of quotes, and a document on what was read and left out."""
    providers = [OWN] + sorted(settings["competitors"])
    sales, quality = read_sales(sales_path, settings["products"])
    quotes, quality["quotes_read"] = read_quotes(quotes_path, settings["products"], providers)
    rows, quality["quotes_carried"] = join_quotes(
        quotes, settings["products"], providers, settings["carry_weeks_max"]
    )
    return sales, rows, quality
