"""Servers, and calls to them."""
