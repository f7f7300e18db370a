from pathlib import Path

import pytest

MACHINE = """\
start_at: Add
states:
  Add: {type: task, resource: add, end: true}
"""
NEVER_YIELDS = """
from workers import Registry

registry = Registry()

@registry.activity('add')
async def add(x: int = 1, y: int = 2):
    print('spins', flush=True)
    while True:
        pass
"""
"""Its loop hears neither what it is told nor the end of the pipe to its parent."""


def handlers(body: str, head: str = "") -> str:
    """A module with one handler, `add`."""
    return (
        f"{head}\nfrom workers import Registry\n\nregistry = Registry()\n\n"
        f"@registry.activity('add')\ndef add(x: int = 1, y: int = 2):\n    {body}\n"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a person has who develops: handlers and a machine."""
    (tmp_path / "handlers.py").write_text(handlers("return x + y"))
    (tmp_path / "adder.yaml").write_text(MACHINE)
    return tmp_path
