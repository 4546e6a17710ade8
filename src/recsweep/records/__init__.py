"""Files of a study, read and written by code that knows nothing of the tuner."""
