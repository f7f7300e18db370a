"""A handler with its interceptors, run here and now: nothing is polled, nothing is reported."""
