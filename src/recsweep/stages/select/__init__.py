"""The verb `select`: one configuration a family, by a rule fixed before the sweep."""
