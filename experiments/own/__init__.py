"""Networks of the user's own, by the import path of a class, a class or an instance."""
