"""ItemBatcher: several items for each child execution of a Map."""

from typing import Any

from workers.local.documents import byte_length
from workers.local.values.jsonata import compile_jsonata
from workers.local.values.numbers import compile_number
from workers.local.values.scope import Evaluate, Scope, compact
from workers.local.values.templates import compile_template
from workers.machines.model.collections import ItemBatcher

MOST_BYTES = 262_144


class Batcher:
    """An ItemBatcher, compiled."""

    def __init__(self, model: ItemBatcher, *, jsonata: bool) -> None:
        self._items = compile_number(model, "max_items_per_batch", "MaxItemsPerBatch", jsonata=jsonata)
        self._bytes = compile_number(model, "max_input_bytes_per_batch", "MaxInputBytesPerBatch", jsonata=jsonata)
        self._input: Evaluate | None = None
        if model.batch_input is not None:
            given = model.batch_input
            self._input = compile_jsonata(given, "ItemBatcher/BatchInput") if jsonata else compile_template(given)

    def batches(self, scope: Scope, items: list[Any]) -> list[tuple[int, dict[str, Any]]]:
        """The number of items in each batch, and its input."""
        most, limit = int(self._items(scope) or 0), int(self._bytes(scope) or MOST_BYTES)
        common = {} if self._input is None else {"BatchInput": self._input(scope)}
        room = limit - byte_length(compact({**common, "Items": []}))
        batches: list[list[Any]] = []
        left = 0
        for item in items:
            size = byte_length(compact(item)) + 1
            if not batches or size > left or (most and len(batches[-1]) == most):
                batches.append([])
                left = room + 1
            batches[-1].append(item)
            left -= size
        return [(len(batch), {**common, "Items": batch}) for batch in batches]
