"""What raw files look like: one or many, packed or not, in which encoding and dialect of CSV."""
