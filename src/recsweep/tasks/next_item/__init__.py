"""`next_item`: which course comes next? The whole catalogue is ranked."""
