"""`uplift`: whom does a treatment move? The difference that it makes to buying, not buying itself."""
