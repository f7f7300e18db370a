"""Names for parametrized cases that are the same in every process, as tests that run side by side need them."""

import re

_ADDRESS = re.compile(r" at 0x[0-9a-f]+| id='\d+'")


def shown(value: object) -> str:
    """How Python shows `value`, in ASCII and without where it lies in memory."""
    return _ADDRESS.sub("", ascii(value))
