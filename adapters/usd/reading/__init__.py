"""A cut out of a stage: what it says, what was edited on it."""
