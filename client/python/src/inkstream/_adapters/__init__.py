"""What the adapters to frameworks have in common."""
