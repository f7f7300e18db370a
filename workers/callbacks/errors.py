"""What can be wrong with a callback."""

from workers.errors import UsageError, WorkersError


class AmbiguousKeyError(UsageError):
    """Tasks of several executions wait for the same key: say which execution is meant."""


class CallbackStoreError(WorkersError):
    """The store of tokens could not be used. Trying again may help."""
