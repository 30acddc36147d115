"""What is shown to a person: in a notebook, in a terminal."""
