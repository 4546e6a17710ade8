"""Search spaces: what may vary in a family, declared in YAML."""
