"""A team's handlers, as the images and manifests beside this file run them."""

from workers import Registry

registry = Registry()


@registry.activity("add")
async def add(x: int, y: int) -> int:
    return x + y
