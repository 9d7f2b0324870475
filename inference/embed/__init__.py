"""Turning what was found into vectors that can be compared."""
