"""The verb `confirm`: refit the selected, open the sealed test, compare."""
