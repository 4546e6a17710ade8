"""Trials as one flat table: for `trials.csv`, and for notebooks."""

import json

import polars as pl


def flat_trials(trials: pl.DataFrame) -> pl.DataFrame:
    """The table of `trials.parquet` with a column `config.<name>` for each hyperparameter in place
    of the configuration; null where not in use.
    """
    configs = [json.loads(config) for config in trials["config"]]
    names = dict.fromkeys(name for config in configs for name in config)
    columns = {
        f"config.{name}": pl.Series([config.get(name) for config in configs], strict=False)
        for name in names
    }
    return trials.drop("config").with_columns(**columns)
