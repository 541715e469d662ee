"""Fourth stage: what would be sold in a week if the own cap rate or the own price were changed, all else equal."""
import math

from .bootstrap import NAMES
from .features import competitor_mean
from .tables import InputError

COLUMNS = (
    "product",
    "scenario",
    "cap_change",
    "price_change",
    "own_cap",
    "own_price",
    "sales",
    "sales_change",
    "cap_elasticity",
    "price_elasticity",
)


def effect(coefficients, name):
    """The coefficient of a feature."""
    return coefficients[NAMES.index(name)]


def predict(coefficients, cap, price, market):
    """Sales (millions) of a week without season, once the cap has been in force for as long as it takes effect."""
    features = {
        "intercept": 1.0,
        "log_own_price": math.log(price),
        "own_cap": cap,
        "own_cap_lag": cap,
        "log_competitor_price": math.log(market["competitor_price"]),
        "competitor_cap": market["competitor_cap"],
        "competitor_cap_lag": market["competitor_cap"],
        "season_sine": 0.0,
        "season_cosine": 0.0,
        "quarter_end": 0.0,
        "trend": market["trend"],
    }
    total = 0.0
    for name, coefficient in zip(NAMES, coefficients):
        total += coefficient * features[name]
    return math.exp(total)


def cap_elasticity(coefficients, cap):
    """By how many percent sales grow when the cap grows by one percent of itself; so it grows with the cap."""
    return (effect(coefficients, "own_cap") + effect(coefficients, "own_cap_lag")) * cap


def last_market(features, quotes, product, competitors):
    """Where a product stands in its last week."""
    quote = [row for row in quotes if row["product"] == product][-1]
    return {
        "own_cap": quote["own_cap"],
        "own_price": quote["own_price"],
        "competitor_cap": competitor_mean(quote, "cap", competitors),
        "competitor_price": competitor_mean(quote, "price", competitors),
        "trend": [row for row in features if row["product"] == product][-1]["trend"],
    }


def changed(market, scenario):
    """The own cap and price of a scenario: the cap changes by points, the price by a share of itself."""
    cap = market["own_cap"] + scenario["cap_change"]
    price = market["own_price"] * (1.0 + scenario["price_change"])
    if cap <= 0.0 or price <= 0.0:
        raise InputError("scenario `%s` leaves no cap or no price" % scenario["name"])
    return cap, price


def simulate(estimates, markets, scenarios):
    """Rows of all products and scenarios; and the sales of each replicate by product and scenario."""
    rows, replicates = [], {}
    for product, found in estimates.items():
        market, point = markets[product], found["point"]
        base = predict(point, market["own_cap"], market["own_price"], market)
        for scenario in scenarios:
            cap, price = changed(market, scenario)
            sales = predict(point, cap, price, market)
            rows.append(
                {
                    "product": product,
                    "scenario": scenario["name"],
                    "cap_change": scenario["cap_change"],
                    "price_change": scenario["price_change"],
                    "own_cap": cap,
                    "own_price": price,
                    "sales": sales,
                    "sales_change": sales / base - 1.0,
                    "cap_elasticity": cap_elasticity(point, cap),
                    "price_elasticity": effect(point, "log_own_price"),
                }
            )
            replicates[product, scenario["name"]] = [
                predict(coefficients, cap, price, market) for coefficients in found["replicates"]
            ]
    return rows, replicates


def replicate_table(replicates):
    """Columns and rows of the replicates: a row for each drawing, a column for each product and scenario."""
    columns = ["replicate"] + ["%s_%s" % key for key in replicates]
    rows = []
    for number, values in enumerate(zip(*replicates.values())):
        rows.append(dict(zip(columns, (number,) + values)))
    return columns, rows
