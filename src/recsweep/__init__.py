"""recsweep: fair, cross-validated hyperparameter studies of course recommenders."""
