"""What differs between Pythons and between installations."""
