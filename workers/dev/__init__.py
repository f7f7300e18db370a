"""The development loop: on each save a fresh process runs the machine with fresh registrations, and shows the result.

`loop.py` waits for what starts a round, `round.py` is one round, `child.py` the process with the user's code.
"""
