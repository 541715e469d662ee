"""The tests of the monthly run. They bring their own small tapes, with segments and rates of their own."""
