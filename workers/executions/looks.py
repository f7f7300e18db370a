"""How often one looks at something that takes its time."""

import random

LONGEST = 10.0
WATCHED = 2.0
"""Seconds between two looks, at most; and where somebody watches."""
SHORTEST = 0.1
SHORTEST_HERE = 0.003
"""Seconds between two looks, at least; and on the embedded engine, whose API has no bucket to empty."""
_SHARE = 0.1


def pause(waited: float, *, longest: float = LONGEST, shortest: float = SHORTEST) -> float:
    """Seconds until the next look, after `waited` seconds: a tenth of them, so that the end is seen little later."""
    jitter = random.uniform(0.8, 1.0)  # noqa: S311 - so that many who wait together do not look together
    return jitter * min(longest, max(shortest, waited * _SHARE))
