"""Metrics as pure functions, ranking of the whole catalogue, tests of significance."""
