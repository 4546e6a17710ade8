"""The verb `fuse`: an ensemble of a study's trials."""
