"""Views that processes of one host share."""
