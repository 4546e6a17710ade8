"""The search by Ray Tune and Optuna; Ray is imported here and in `serving` only."""

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)  # one line a trial is the progress table's job
