"""Groups of learners by their vectors, how far to trust them, and what sets each apart."""
