"""What handlers of tests do in processes of their own. It imports little: such a process starts quickly."""

import os
import time
from pathlib import Path


def sleep_long(file: str) -> None:
    """Says in `file` which process it is, and does not end."""
    half = Path(f"{file}.half")
    half.write_text(str(os.getpid()))
    half.rename(file)
    time.sleep(3600)


def add_up(numbers: list[int]) -> int:
    """Their sum."""
    return sum(numbers)
