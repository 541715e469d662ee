"""Revenue and average price by region, from a CSV of orders."""
import csv
import json
import sys


def summarise(path):
    sums = {}
    with open(path, newline="") as orders:
        for order in csv.DictReader(orders):
            quantity = int(order["quantity"])
            price = float(order["price"])
            if order["region"] not in sums:
                sums[order["region"]] = [0, 0.0]
            sums[order["region"]][0] += quantity
            sums[order["region"]][1] += quantity * price
    result = []
    for region in sorted(sums):
        quantity, revenue = sums[region]
        result.append({"region": region, "quantity": quantity, "revenue": revenue, "average_price": revenue / quantity})
    return result


if __name__ == "__main__":
    with open(sys.argv[2], "w") as out:
        for row in summarise(sys.argv[1]):
            out.write(json.dumps(row) + "\n")
