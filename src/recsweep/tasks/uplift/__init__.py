"""`uplift`: whom does a treatment move? The difference that it makes, not buying itself."""
