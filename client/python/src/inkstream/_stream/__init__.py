"""A position in an epoch's order that moves."""
