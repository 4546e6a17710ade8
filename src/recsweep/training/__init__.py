"""Fitting one configuration on all folds at once."""
