"""What the workers of the end-to-end test do."""

from typing import Any

from workers import Registry
from workers.errors import ActivityError

registry = Registry()


@registry.activity("manager-step")
async def step(event: dict[str, Any], /) -> dict[str, Any]:
    """Goes well."""
    return {**event, "steps": event.get("steps", 0) + 1}


@registry.activity("manager-choosy")
async def choosy(event: dict[str, Any], /) -> dict[str, Any]:
    """Fails if it is told to."""
    if event.get("fail"):
        raise ActivityError("Choosy", "it was told to fail")
    return event
