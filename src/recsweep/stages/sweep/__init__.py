"""The verb `sweep`: a study's trials."""
