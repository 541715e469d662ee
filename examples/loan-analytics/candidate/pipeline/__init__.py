"""The monthly analytics of the loan portfolio: ingestion, transformation, calculation, output."""
