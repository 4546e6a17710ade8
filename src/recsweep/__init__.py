"""recsweep: fair, cross-validated hyperparameter studies of course recommenders."""

__version__ = "0.1.0"
"""Here, so that code that runs from a folder without being installed knows it as well."""
