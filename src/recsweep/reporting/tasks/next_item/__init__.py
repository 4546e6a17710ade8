"""What the report says of the task next_item."""
