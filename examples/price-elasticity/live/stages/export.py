"""Sixth stage: the tables that others read, one row for each product, and one for each product and scenario."""

ELASTICITY_COLUMNS = (
    "product",
    "price_elasticity",
    "price_elasticity_lower",
    "price_elasticity_upper",
    "cap_elasticity",
    "cap_elasticity_lower",
    "cap_elasticity_upper",
)
DEMAND_COLUMNS = ("product", "scenario", "own_cap", "own_price", "sales", "sales_lower", "sales_upper")


def elasticity_rows(intervals):
    """One row for each product, in the order of the intervals."""
    rows = {}
    for found in intervals:
        name = found["quantity"]
        if name in ("price_elasticity", "cap_elasticity"):
            row = rows.setdefault(found["product"], {"product": found["product"]})
            row[name] = found["point"]
            row[name + "_lower"] = found["lower"]
            row[name + "_upper"] = found["upper"]
    return list(rows.values())


def demand_rows(scenarios, intervals):
    """One row for each product and scenario, with the interval of its sales."""
    found = {(row["product"], row["quantity"]): row for row in intervals}
    rows = []
    for row in scenarios:
        between = found[row["product"], "sales_" + row["scenario"]]
        rows.append(
            {
                "product": row["product"],
                "scenario": row["scenario"],
                "own_cap": row["own_cap"],
                "own_price": row["own_price"],
                "sales": row["sales"],
                "sales_lower": between["lower"],
                "sales_upper": between["upper"],
            }
        )
    return rows


def summary(quality, features, settings):
    """What the results rest on."""
    weeks = {product: 0 for product in settings["products"]}
    for row in features:
        weeks[row["product"]] += 1
    used = ("seed", "replicates", "block_weeks", "penalty", "level", "lag_weeks")
    return {"quality": quality, "weeks_used": weeks, "settings": {name: settings[name] for name in used}}
