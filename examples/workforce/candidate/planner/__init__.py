"""The workforce of a company, year by year."""
