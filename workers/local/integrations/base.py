"""What all services of tasks have in common."""

from typing import Any

from workers.local.calls import Call
from workers.local.integrations.resources import Ending, Resource
from workers.local.values.errors import RUNTIME, StateError


class BaseService:
    """A service as the history has it. Whatever starts jobs says how to wait for them and how to stop them."""

    def __init__(self, resource: Resource) -> None:
        self.resource_type = resource.resource_type
        self.resource = resource.resource
        self.ends_with: Ending = resource.ends_with

    def check(self, parameters: Any) -> None:
        """Whatever can be called with any parameters takes all."""

    async def finish(self, call: Call, answer: Any) -> Any:
        del answer
        raise StateError(RUNTIME, f"The state '{call.state}' cannot wait for {self.resource}: it starts no job")

    async def abort(self, call: Call, answer: Any) -> None:
        """Nothing is left to be stopped where there is no job."""
