"""Which observation data want: looked at, listed, screened, confirmed, and said."""
