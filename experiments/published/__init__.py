"""Published tables, trained and scored anew, beside the numbers that were published."""
