"""What a user writes: the schemas of the YAML files and how they are read."""
