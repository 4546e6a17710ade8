"""Which configurations are tried, where, and for how long. Ray and Optuna live here only."""

import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)  # one line a trial is the progress table's job
