"""A run put to use: new rows scored, filled, encoded and reproduced, and rows drawn."""
