"""How many polls an activity keeps open: more while they bring tasks, fewer while they come back empty."""


class Scale:
    """A number between `least` and `most` that follows what polls bring."""

    def __init__(self, *, least: int, most: int, initial: int) -> None:
        self._least = min(least, most)
        self._most = most
        self.target = max(self._least, min(initial, most))
        """Polls to keep open."""

    def full(self, *, free_slots: int) -> None:
        """A poll brought a task: one more may bring another, if there is a slot for it."""
        if free_slots > 0:
            self.target = min(self._most, self.target + 1)

    def empty(self) -> None:
        """A poll was held to its end and brought nothing."""
        self.target = max(self._least, self.target - 1)

    def throttled(self) -> None:
        """Step Functions wants fewer calls, or fewer pollers."""
        self.target = max(self._least, self.target // 2)
