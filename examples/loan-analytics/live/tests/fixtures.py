"""What the tests work on: two segments, two currencies, and loans of three installments."""
import datetime
from decimal import Decimal

SEGMENTS = {
    "alpha": {"label": "Alpha", "products": ["plain"]},
    "beta": {"label": "Beta", "products": ["plain", "fancy"]},
}
CURRENCIES = {"reporting": "USD", "rates": {"USD": "1", "EUR": "1.125"}}
DEFINITIONS = {"delinquent_days": 30, "default_days": 120, "aging_days": [1, 30, 60, 90, 120]}
LOAN_COLUMNS = [
    "loan_id", "borrower_id", "segment", "product", "region", "currency", "principal", "annual_rate",
    "term_months", "origination_date",
]
PAYMENT_COLUMNS = [
    "loan_id", "installment", "due_date", "scheduled_principal", "scheduled_interest", "paid_amount",
    "paid_date",
]
LOAN_SCHEMA = {"columns": dict.fromkeys(LOAN_COLUMNS, "text"), "annual_rate_max": "1", "term_months_max": 120}
PAYMENT_SCHEMA = {"columns": dict.fromkeys(PAYMENT_COLUMNS, "text")}
LOAN_SCHEMA["columns"].update(
    principal="money", annual_rate="rate", term_months="count", origination_date="date"
)
PAYMENT_SCHEMA["columns"].update(
    installment="count", due_date="date", scheduled_principal="money", scheduled_interest="money",
    paid_amount="money", paid_date="date or nothing",
)
LOAN_LINE = "L1,B1,alpha,plain,north,USD,300.00,0.12,3,2025-01-10"
PAYMENT_LINE = "L1,1,2025-02-10,100.00,3.00,103.00,2025-02-10"


def day(text):
    """A date from YYYY-MM-DD."""
    return datetime.date.fromisoformat(text)


def loan(loan_id="L1", **other):
    """A loan as it is after it was read: 300.00 at 12 % a year, from January 10, 2025."""
    result = {
        "loan_id": loan_id,
        "borrower_id": "B1",
        "segment": "alpha",
        "product": "plain",
        "region": "north",
        "currency": "USD",
        "principal": Decimal("300.00"),
        "annual_rate": Decimal("0.12"),
        "term_months": 3,
        "origination_date": day("2025-01-10"),
    }
    result.update(other)
    return result


def installments(paid, loan_id="L1"):
    """One installment a month from February 10, 2025: 100.00 and 3.00 of interest. `paid`: amounts, days."""
    rows = []
    for number, (amount, paid_date) in enumerate(paid, 1):
        rows.append(
            {
                "loan_id": loan_id,
                "installment": number,
                "due_date": datetime.date(2025, number + 1, 10),
                "scheduled_principal": Decimal("100.00"),
                "scheduled_interest": Decimal("3.00"),
                "paid_amount": Decimal(amount),
                "paid_date": day(paid_date) if paid_date else None,
            }
        )
    return rows


def history(months, loan_id="L1", **other):
    """A history from its months: what is outstanding, days past due. Of 10.00 a month 9.00 is paid."""
    own = loan(loan_id, **other)
    return {
        "loan": own,
        "originated": own["principal"],
        "months": [
            {
                "month": "2025-%02d" % number,
                "outstanding": Decimal(outstanding),
                "outstanding_local": Decimal(outstanding),
                "days_past_due": days,
                "scheduled": Decimal("10.00"),
                "paid": Decimal("9.00"),
            }
            for number, (outstanding, days) in enumerate(months, 1)
        ],
    }


def settings():
    """The whole settings of a run on a tape of these segments."""
    status = ["loan_id", "segment", "status", "days_past_due", "outstanding_balance", "cures"]
    segment = ["segment", "loans", "outstanding_balance", "par30", "collection_rate", "cure_rate"]
    return {
        "currencies": CURRENCIES,
        "segments": SEGMENTS,
        "kpis": {
            "definitions": DEFINITIONS,
            "thresholds": {"par30": {"worse": "above", "warning": 0.1, "critical": 0.6}},
        },
        "schemas": {"loans": LOAN_SCHEMA, "payments": PAYMENT_SCHEMA},
        "integrations": {
            "notifications": {"channels": {"warning": "w", "critical": "c"}},
            "exports": {
                "directory": "${LOAN_EXPORTS:-exports}",
                "tables": {
                    "loan_status": {"file": "loan_status.csv", "columns": status},
                    "segment_kpis": {"file": "segment_kpis.csv", "columns": segment},
                    "segment_monthly": {
                        "file": "segment_monthly.csv",
                        "columns": ["segment", "month", "cures"],
                    },
                    "monthly_kpis": {"file": "monthly_kpis.csv", "columns": ["month", "collected"]},
                    "aging_buckets": {
                        "file": "aging_buckets.csv",
                        "columns": ["segment", "bucket", "loans"],
                    },
                },
                "documents": {"portfolio_summary": "portfolio_summary.json", "alerts": "alerts.json"},
            },
        },
        "pipelines": {
            "monthly": {
                "name": "test",
                "reporting_date": "2025-04-30",
                "inputs": {"loans": "loans.csv", "payments": "payments.csv"},
            }
        },
    }


def write_csv(path, columns, lines):
    """Writes a header and lines as they are."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(",".join(columns) + "\n" + "".join(line + "\n" for line in lines))
