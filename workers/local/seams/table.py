"""The list of what is touched in moto, and the two ways to touch it."""

from typing import Any, NamedTuple

from workers.errors import WorkersError


class Seam(NamedTuple):
    """A name of moto that is touched: `owner` is a module or a class, `original` what moto put there."""

    owner: Any
    name: str
    original: Any
    why: str


SEAMS: list[Seam] = []
"""All of them; filled while the engine is imported."""

_GONE = object()


def uses(owner: Any, name: str, why: str) -> Any:
    """Notes that a private name of moto is relied on, and returns it. Raises `WorkersError` where it has gone."""
    declared = vars(owner).get("__annotations__", {})  # attributes that instances get
    original = vars(owner).get(name, declared.get(name, _GONE))
    if original is _GONE:
        raise WorkersError(
            f"this moto has no {owner.__name__}.{name}, which the embedded engine needs: {why}. "
            "Install the version that `pip install 'sfn-workers[local]'` chooses"
        )
    SEAMS.append(Seam(owner, name, original, why))
    return original


def replaces(owner: Any, name: str, value: Any, why: str) -> None:
    """Puts `value` in the place of one of moto's names. Raises `WorkersError` where the name has gone."""
    uses(owner, name, why)
    setattr(owner, name, value)
