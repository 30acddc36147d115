"""`python -m inkstream`, and the `inkstream` program."""
