"""The task `uplift` on the page."""
