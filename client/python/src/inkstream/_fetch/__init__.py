"""Drawings by their numbers."""
