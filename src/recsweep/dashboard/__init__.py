"""A page on loopback that watches a study: what runs, what was found, and where to look closer."""
