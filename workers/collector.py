"""Python's garbage collector, set up for a process that runs for months."""

import gc

_YOUNG = 10_000
"""New objects after which it looks at the young ones; 64 tasks at once hold more than Python's own 700."""


def look_rarely() -> None:
    """For a process of our own, from its start: Python's own pace takes a fourteenth of the time that imports need."""
    gc.set_threshold(_YOUNG, 10, 10)


def settle() -> None:
    """What is there by now stays as long as the process: the collector need not look through it again and again.

    A full look through the models of the AWS SDK takes 50 milliseconds, and over 100 where a web framework is loaded as
    well; meanwhile no task and no request gets on. For a process of our own, once it has started.
    """
    gc.freeze()
    look_rarely()
