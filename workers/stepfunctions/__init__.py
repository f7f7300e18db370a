"""Talking to Step Functions: what a worker needs of it, and the clients that provide it."""
