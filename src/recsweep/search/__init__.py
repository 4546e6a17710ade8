"""The search by Ray Tune and Optuna; Ray is imported here and in `serving` only."""
