"""The verbs: one module each, the same in Python and on the command line."""
