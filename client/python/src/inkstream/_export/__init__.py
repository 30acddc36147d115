"""Drawings in the forms of other libraries."""
