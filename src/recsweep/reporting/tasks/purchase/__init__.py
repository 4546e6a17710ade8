"""What the report says of the task purchase."""
