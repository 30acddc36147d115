"""Batches as a user has them."""
