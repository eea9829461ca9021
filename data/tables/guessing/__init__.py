"""What the columns of a table are, where nobody has said, and what looks wrong in them."""
