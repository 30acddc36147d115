"""libinkstream, by its C interface."""
