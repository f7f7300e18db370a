"""Which values of a document are offloaded."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from workers.errors import UsageError
from workers.payloads.claim import CLAIM_KEY, OBJECT_KEY, Claim, looks_like_claim
from workers.payloads.document import Place, encode, nodes
from workers.payloads.paths import Path, overlap, parse_paths, places

Keys = Literal["auto", "all"] | Iterable[str]

BUDGET = 64 * 1024
"""Bytes that a document may have by default: a quarter of AWS's limit, for Parallel, Map and ResultPath add up."""

_SMALLEST = 200
"""Bytes below which a value is not looked at: no claim is shorter."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a user asked for; see `Payloads.offload`."""

    keys: Literal["auto", "all"] | tuple[Path, ...]
    keep: tuple[Path, ...]
    always: bool
    budget: int

    @classmethod
    def of(
        cls, *, keys: Keys = "auto", keep: Iterable[str] = (), always: bool = False, budget: int = BUDGET
    ) -> "Choice":
        """Checks the options. Raises `UsageError`."""
        if budget < 0:
            raise UsageError(f"budget is {budget}: it is a number of bytes")
        kept = parse_paths(keep, "keep")
        if keys == "auto" or keys == "all":  # noqa: PLR1714 - mypy narrows the literals this way
            return cls(keys, kept, always, budget)
        if isinstance(keys, str):
            raise UsageError(f"keys is {keys!r}: it must be 'auto', 'all' or a list of keys and paths")
        named = parse_paths(keys, "keys")
        if clashes := [(one, other) for one in named for other in kept if overlap(one, other)]:
            raise UsageError(f"keys and keep both name a value: {clashes[0][0]} and {clashes[0][1]}")
        return cls(named, kept, always, budget)

    def places(self, document: Any, size: int, claim_size: Callable[[int], int], *, has_claims: bool) -> list[Place]:
        """The places of `document`, which has `size` bytes, whose values are to be offloaded.

        None of them lies in another one. `claim_size` tells the bytes of a claim on so many bytes. `has_claims`:
        whether there may be `Claim`s and escaped objects in it.
        """
        if size <= self.budget and not self.always:
            return []
        fixed = _Fixed(document, self.keep, has_claims=has_claims)
        if self.keys == "auto":
            root = _Value((), document, size, fixed, max(_SMALLEST, self.budget // 8))
            whole = size + 1
            return (
                [value.place for value in root.units(whole)] if self.always else _largest(root, self.budget, claim_size)
            )
        if self.keys == "all":
            named: list[Place] = [(key,) for key in document] if isinstance(document, dict) else [()]
        else:
            named = [place for path in self.keys for place in places(document, path)]
        return _outermost(named, fixed)


class _Fixed:
    """The places that stay, and those that cannot go as a whole because something in them stays."""

    def __init__(self, document: Any, keep: Iterable[Path], *, has_claims: bool) -> None:
        self._kept = {place for path in keep for place in places(document, path)}
        self._not_alone: set[Place] = set()
        for place, node in nodes(document, leaves=(Claim,)) if has_claims else ():
            if isinstance(node, Claim):
                self._kept.add(place)
            elif looks_like_claim(node):  # it is escaped: it goes with its escape or not at all
                self._not_alone |= {(*place, CLAIM_KEY), (*place, OBJECT_KEY)}
        self._not_alone |= {place[:depth] for place in self._kept for depth in range(len(place))}

    def stays(self, place: Place) -> bool:
        """Whether it and everything in it stays."""
        return place in self._kept

    def may_go(self, place: Place) -> bool:
        """Whether it can be offloaded as a whole."""
        return place not in self._kept and place not in self._not_alone


def _outermost(named: Iterable[Place], fixed: _Fixed) -> list[Place]:
    found: set[Place] = set()
    for place in sorted(named, key=len):
        if fixed.may_go(place) and not any(place[:depth] in found for depth in range(len(place))):
            found.add(place)
    return list(found)


def _largest(root: "_Value", budget: int, claim_size: Callable[[int], int]) -> list[Place]:
    """The largest values first, each as deep as it is still large, until the document fits `budget`.

    "Large" begins at an eighth of the budget, so that the structure around such values stays readable for paths.
    Where that does not free enough, it grows, until at last whatever may go does.
    """
    grain = root.grain
    while True:
        chosen: list[Place] = []
        left = root.size
        for value in sorted(root.units(grain), key=lambda unit: unit.size, reverse=True):
            if left <= budget:
                break
            if (saved := value.size - claim_size(value.size)) > 0:
                chosen.append(value.place)
                left -= saved
        if left <= budget or grain > root.size:
            return chosen
        grain *= 4


class _Value:
    """A value that may be worth a claim. What is in it is measured when it is asked for."""

    def __init__(self, place: Place, value: Any, size: int, fixed: _Fixed, grain: int) -> None:
        self.place = place
        self.size = size
        self._value = value
        self._fixed = fixed
        self.grain = grain

    def units(self, grain: int) -> "Iterator[_Value]":
        """What goes as a whole: this value, unless something in it has to stay or has `grain` bytes itself."""
        waiting = [self]
        while waiting:
            value = waiting.pop()
            if self._fixed.stays(value.place):
                continue
            if not self._fixed.may_go(value.place):
                waiting += value.parts
            elif large := [part for part in value.parts if part.size >= grain]:
                waiting += large
            else:
                yield value

    @cached_property
    def parts(self) -> "list[_Value]":
        """The large values directly in this one; all worth a claim where this one cannot go as a whole."""
        least = self.grain if self._fixed.may_go(self.place) else _SMALLEST
        if self.size < least:
            return []
        return [
            _Value((*self.place, key), value, size, self._fixed, self.grain)
            for key, value, size in _measured(self._value, self.size, least)
        ]


def _measured(container: Any, size: int, least: int) -> Iterator[tuple[str | int, Any, int]]:
    """What in `container`, which has `size` bytes, has `least` bytes or more, with its bytes.

    Small values are encoded several at once: a list of many rows costs little more than the whole of it.
    """
    keys: Sequence[str | int]
    values: Sequence[Any]
    if isinstance(container, dict):
        keys, values = list(container), list(container.values())
    elif isinstance(container, (list, tuple)):
        keys, values = range(len(container)), container
    else:
        return
    together = max(1, least * len(values) // (2 * size))
    for start in range(0, len(values), together):
        some = values[start : start + together]
        if together > 1 and len(encode(some)) < least:
            continue
        for key, value in zip(keys[start : start + together], some, strict=True):
            if _may_have(value, least) and (measured := len(encode(value))) >= least:
                yield key, value, measured


def _may_have(value: Any, least: int) -> bool:
    """Whether `value` is a container, or a text that may have `least` bytes: a character has up to six of them."""
    return isinstance(value, (dict, list, tuple)) or (isinstance(value, str) and 6 * len(value) + 2 >= least)
