"""What keeps an activity from polling although it has slots: a rate, a pause that was asked for, a breaker.

Tasks that are not polled for wait safely in Step Functions.
"""

from time import monotonic

import structlog

log = structlog.get_logger(__name__)

_NEVER = float("-inf")


class Brake:
    """Lets polls through at `rate` tasks a second, and none during a pause."""

    def __init__(self, activity: str, *, rate: float | None, breaker: int | None, breaker_pause: float) -> None:
        self._activity = activity
        self._rate = rate
        self._breaker = breaker
        self._breaker_pause = breaker_pause
        self._burst = max(1.0, rate or 0.0)
        self._tokens = self._burst
        self._filled = monotonic()
        self._paused_until = _NEVER
        self._failures = 0
        self.braked = 0.0
        """Seconds so far in which a poller wanted to poll and was not let, as far as they are known."""
        self._braked_until = _NEVER

    def delay(self) -> float:
        """Seconds until a poll may be opened; 0.0 takes the right to open one now, which `unused` returns."""
        if self._rate is None and self._paused_until == _NEVER:
            return 0.0
        now = monotonic()
        delay = self._delay(now)
        if delay:
            self.braked += max(0.0, now + delay - max(now, self._braked_until))
            self._braked_until = max(self._braked_until, now + delay)
        return delay

    def _delay(self, now: float) -> float:
        if now < self._paused_until:
            return self._paused_until - now
        if self._rate is None:
            return 0.0
        self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        if self._tokens < 1.0:
            return (1.0 - self._tokens) / self._rate
        self._tokens -= 1.0
        return 0.0

    def unused(self) -> None:
        """The poll brought no task, so it does not count against the rate."""
        self._tokens = min(self._burst, self._tokens + 1.0)

    def pause(self, seconds: float, why: str) -> None:
        """No polls for `seconds`."""
        self._paused_until = max(self._paused_until, monotonic() + seconds)
        log.warning("polling paused", activity=self._activity, seconds=seconds, why=why)

    def succeeded(self) -> None:
        """A task succeeded: the row of failures ends."""
        self._failures = 0

    def failed(self) -> None:
        """A task failed. The breaker trips at its number of failures in a row, and at each further one."""
        self._failures += 1
        if self._breaker is not None and self._failures >= self._breaker:
            self.pause(self._breaker_pause, f"{self._failures} failures in a row")
