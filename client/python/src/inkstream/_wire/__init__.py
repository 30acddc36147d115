"""Bytes that came -> checked batches."""
