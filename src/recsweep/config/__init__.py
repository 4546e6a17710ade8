"""YAML files that a user writes: their schemas, and how they are read."""
