"""The verb `backtest`: a best configuration, step by step through the sealed test's period."""
