"""The items of a Map: of an array, or of an object in distributed mode (developer guide, "ItemsPath")."""

from typing import Any, NamedTuple


class Item(NamedTuple):
    """An item, and what the context object tells of it beside its index."""

    value: Any
    source: str | None = None
    """Where it comes from, in distributed mode."""
    key: str | None = None
    """Of a member of an object."""

    @property
    def input(self) -> Any:
        """What an iteration gets without an ItemSelector."""
        return self.value if self.key is None else {"Key": self.key, "Value": self.value}

    def about(self, index: int) -> dict[str, Any]:
        """`$$.Map` of its iteration."""
        key = {} if self.key is None else {"Key": self.key}
        source = {} if self.source is None else {"Source": self.source}
        return {"Item": {"Index": index, **key, "Value": self.value, **source}}


def items_of(found: list[Any] | dict[str, Any], source: str | None = None) -> list[Item]:
    """The items of an array, or the members of an object."""
    if isinstance(found, dict):
        return [Item(value, source, key) for key, value in found.items()]
    return [Item(value, source) for value in found]
