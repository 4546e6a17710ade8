"""What a study leaves on disk, read and written by code that knows nothing of the tuner."""
