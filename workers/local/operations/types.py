"""What an operation is: a function from the parameters of a request to the members of its answer."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from workers.local.region import Region

Parameters = dict[str, Any]
Operation = Callable[[Region, Parameters], Parameters | Awaitable[Parameters]]
Operations = Mapping[str, Operation]
