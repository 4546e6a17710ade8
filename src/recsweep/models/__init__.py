"""One file a family, behind one protocol."""
