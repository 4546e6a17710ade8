"""Families of the task `purchase`: the probability that a look at a course ends in buying it."""
