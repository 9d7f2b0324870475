"""A cut into a stage: its objects, their words, and the file."""
