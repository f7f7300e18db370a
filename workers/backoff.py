"""Waiting longer after each failure in a row, and never in step with others."""

import random


class Backoff:
    """Seconds to wait after each failure: doubling from `initial` to `maximum`, each drawn from its upper half.

    (Half of it is random so that a fleet does not come back at one moment, half is not so that it does wait.)
    """

    def __init__(self, *, initial: float, maximum: float) -> None:
        self._initial = initial
        self._maximum = maximum
        self.failures = 0
        """Failures in a row so far."""

    def next(self) -> float:
        """Seconds to wait after one more failure."""
        ceiling = min(self._maximum, self._initial * 2.0 ** min(self.failures, 30))
        self.failures += 1
        return ceiling * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret

    def reset(self) -> None:
        """A success: the next failure waits `initial` again."""
        self.failures = 0
