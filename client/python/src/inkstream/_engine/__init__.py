"""A store that is read and drawn in this process."""
