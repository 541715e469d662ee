"""Revenue and average price by region."""
import json
import math
import sys
from collections import defaultdict

from pipeline import orders


def summarise(path):
    """One row a region, sorted by region. Sums are rounded once, at their end."""
    by_region = defaultdict(list)
    for order in orders.read(path):
        by_region[order.region].append(order)
    return [row(region, by_region[region]) for region in sorted(by_region)]


def row(region, found):
    quantity = sum(order.quantity for order in found)
    revenue = math.fsum(order.quantity * order.price for order in found)
    return {"region": region, "quantity": quantity, "revenue": revenue, "average_price": revenue / quantity}


if __name__ == "__main__":
    with open(sys.argv[2], "w") as out:
        for line in summarise(sys.argv[1]):
            out.write(json.dumps(line) + "\n")
