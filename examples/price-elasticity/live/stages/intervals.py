"""Fifth stage: between which values each result lies, by the percentiles of its replicates."""
from .bootstrap import NAMES
from .scenarios import cap_elasticity, effect

COLUMNS = ("product", "quantity", "point", "lower", "upper")


def quantile(values, share):
    """The value below which a share of the sorted values lies, interpolated between two neighbours."""
    place = share * (len(values) - 1)
    before = int(place)
    after = min(before + 1, len(values) - 1)
    return values[before] + (place - before) * (values[after] - values[before])


def interval(product, quantity, point, replicates, level):
    """The row of one result."""
    values = sorted(replicates)
    tail = (1.0 - level) / 2.0
    return {
        "product": product,
        "quantity": quantity,
        "point": point,
        "lower": quantile(values, tail),
        "upper": quantile(values, 1.0 - tail),
    }


def build_intervals(estimates, markets, scenario_rows, scenario_replicates, level):
    """Intervals of all effects, of both elasticities as things stand, and of the sales in each scenario."""
    rows = []
    for product, found in estimates.items():
        for number, name in enumerate(NAMES):
            drawn = [coefficients[number] for coefficients in found["replicates"]]
            rows.append(interval(product, "effect_" + name, found["point"][number], drawn, level))
        cap = markets[product]["own_cap"]
        drawn = [effect(coefficients, "log_own_price") for coefficients in found["replicates"]]
        point = effect(found["point"], "log_own_price")
        rows.append(interval(product, "price_elasticity", point, drawn, level))
        drawn = [cap_elasticity(coefficients, cap) for coefficients in found["replicates"]]
        rows.append(interval(product, "cap_elasticity", cap_elasticity(found["point"], cap), drawn, level))
    for row in scenario_rows:
        key = (row["product"], row["scenario"])
        rows.append(interval(key[0], "sales_" + key[1], row["sales"], scenario_replicates[key], level))
    return rows
