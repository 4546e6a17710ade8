"""`python -m recsweep`, where the command itself is not installed."""

from recsweep.cli import main

main()
