"""Keeping the store in step with Step Functions: what is to start, what has ended, what may be forgotten."""
