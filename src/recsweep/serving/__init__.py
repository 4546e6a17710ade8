"""Bundles behind HTTP: what is asked and answered, and Ray Serve around it."""
