"""The parts of a report on a table, whose columns have names, kinds and units of their own."""
