"""What the report says of one task alone."""
