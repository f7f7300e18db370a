"""What the user's code imports is there before the code is loaded, where no save changes it."""

import asyncio
from pathlib import Path

import pytest

from workers.dev.imports import import_all
from workers.dev.process import Child
from workers.local import LocalStepFunctions
from workers.settings import Settings

HANDLERS = """
import sys
from workers import Registry

EARLY = ["wave" in sys.modules, "mine" in sys.modules]
import wave
import mine

registry = Registry()
registry.add("early", lambda: EARLY)
"""


async def test_the_next_child_imports_what_the_last_one_has(
    engine: LocalStepFunctions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "handlers.py").write_text(HANDLERS)
    (tmp_path / "mine.py").touch()
    settings = asyncio.get_running_loop().create_future()
    settings.set_result(Settings(local=True, local_port=engine.port))
    imports: list[str] = []
    for early in (False, True):
        child = await Child.start(settings, ["no.such.module", *imports])
        try:
            assert await child.load("handlers:registry") == ["early"]
            assert (await child.invoke("early", {})).returned == [early, False]
            imports = imports or child.imports
        finally:
            await child.kill()
    assert "wave" in imports
    assert not {"mine", "handlers"} & set(imports)


def test_a_module_that_cannot_be_imported_is_left_to_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "leaves.py").write_text("raise SystemExit(3)")
    monkeypatch.syspath_prepend(tmp_path)
    import_all(["leaves", "no.such.module"])
