"""What can be said: values, names, errors, rules and the arithmetic of time."""
