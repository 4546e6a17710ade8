"""A fitted model as a folder of plain files, and what can be asked of it."""
