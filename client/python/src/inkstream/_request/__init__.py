"""What is asked: plain values, checked, as messages. Imports errors and v1 alone."""
