"""A copy of a study elsewhere, from which it can be resumed."""
