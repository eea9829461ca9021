"""Single entries of data: scored given the others, and filled where they are missing."""
