"""`workers demo`: a census of Python's standard library, taken by real workers on an embedded Step Functions."""
