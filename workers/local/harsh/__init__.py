"""AWS on a bad day: what it may do and rarely does, done often, and the same again for the same seed."""
