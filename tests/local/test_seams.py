"""Every name of moto that the engine touches is there, and is what it was when the engine was made for it.

When this fails after an update of moto: look at what changed in the names it prints, see that the engine's reasons
(`why`) still hold, adapt `workers/local/seams`, and put the new fingerprints into `seams.json`:
`python -m tests.local.test_seams`.
"""

import hashlib
import inspect
import json
import sys
from pathlib import Path

import moto
import pytest

from workers.errors import WorkersError
from workers.local.region import Region
from workers.local.seams.table import SEAMS, Seam, replaces, uses

FINGERPRINTS = Path(__file__).with_name("seams.json")


def _name(seam: Seam) -> str:
    module = seam.owner.__module__ if inspect.isclass(seam.owner) else seam.owner.__name__
    owner = f"{module}:{seam.owner.__qualname__}" if inspect.isclass(seam.owner) else module
    return f"{owner}.{seam.name}"


def _fingerprint(seam: Seam) -> str:
    """A digest of the source of what is touched; of its name where it is not moto's; else of its value."""
    thing = seam.original.fget if isinstance(seam.original, property) else inspect.unwrap(seam.original)
    if inspect.ismodule(thing):
        text = thing.__name__
    elif inspect.isclass(thing) or inspect.isroutine(thing):
        name = f"{thing.__module__}.{thing.__qualname__}"
        text = inspect.getsource(thing) if name.startswith("moto.") else name
    else:
        text = type(thing).__name__ if isinstance(thing, list) else repr(thing)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_nothing_that_is_touched_has_changed():
    assert Region  # the whole engine is imported
    known = json.loads(FINGERPRINTS.read_text())
    touched = {_name(seam): _fingerprint(seam) for seam in SEAMS}
    changed = [f"{_name(seam)}: {seam.why}" for seam in SEAMS if known.get(_name(seam)) != touched[_name(seam)]]
    assert not changed, f"moto {moto.__version__} has changed what the engine touches:\n" + "\n".join(changed)
    assert known.keys() == touched.keys()


def test_every_seam_says_why():
    assert all(len(seam.why.split()) > 3 for seam in SEAMS)


@pytest.mark.parametrize("touch", [uses, lambda owner, name, why: replaces(owner, name, None, why)])
def test_a_name_that_has_gone_is_said_clearly(touch):
    with pytest.raises(WorkersError, match=r"has no moto\.gone, which the embedded engine needs: to test it\. Install"):
        touch(moto, "gone", "to test it")


def test_moto_is_not_reached_into_elsewhere():
    """The interpreter's names come from the seams; only the WSGI side knows moto's server."""
    room = Path(sys.modules["workers.local"].__path__[0])
    files = [path for path in room.rglob("*.py") if "seams" not in path.parts and path.name != "services.py"]
    assert len(files) > 10
    offenders = [path.name for path in files if "import moto" in (text := path.read_text()) or "from moto" in text]
    assert offenders == []


if __name__ == "__main__":
    found = {_name(seam): _fingerprint(seam) for seam in SEAMS}
    FINGERPRINTS.write_text(json.dumps(dict(sorted(found.items())), indent=2) + "\n")
