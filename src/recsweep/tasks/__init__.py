"""What a study asks: all that differs between one task and another, in one value each."""
