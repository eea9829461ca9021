"""The posterior in the shapes of other libraries."""
