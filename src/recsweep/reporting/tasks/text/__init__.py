"""The task `text` in the report."""
