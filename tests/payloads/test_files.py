"""Stores on one machine."""

import shutil
from pathlib import Path

import pytest

from workers.payloads import Payloads
from workers.payloads.errors import PayloadMissingError, StoreAccessDeniedError, StoreUnavailableError


async def test_a_folder_is_made_when_it_is_first_needed(tmp_path: Path):
    async with Payloads(f"file://{tmp_path}/not/yet/there") as payloads:
        claim = await payloads.offload({"a": 1}, always=True)
        assert await payloads.reload(claim) == {"a": 1}
    stored = tmp_path / claim["uri"].removeprefix(f"file://{tmp_path}/")
    assert stored.read_bytes() == b'{"a":1}'
    assert [path.name for path in stored.parent.iterdir()] == [claim["sha256"]], "no draft is left"


async def test_a_folder_with_spaces_works(tmp_path: Path):
    async with Payloads(f"file://{tmp_path}/with some spaces") as payloads:
        assert await payloads.reload(await payloads.offload([1], always=True)) == [1]


async def test_a_missing_folder_is_a_missing_payload(tmp_path: Path):
    async with Payloads(f"file://{tmp_path}/a") as writer:
        claim = await writer.offload([1], always=True)
    shutil.rmtree(tmp_path / "a")
    async with Payloads(f"file://{tmp_path}/a") as reader:
        with pytest.raises(PayloadMissingError):
            await reader.reload(claim)


async def test_a_folder_that_cannot_be_one_is_said(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    async with Payloads(f"file://{tmp_path}/file/below") as payloads:
        with pytest.raises(StoreUnavailableError, match="file/below"):
            await payloads.offload([1], always=True)


async def test_what_the_machine_forbids_is_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with Payloads(f"file://{tmp_path}/a") as payloads:
        claim = await payloads.offload([1], always=True)

        def refuse(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(payloads.store._files, "cat_file", refuse)  # tests may run as root, whom nothing is refused
        with pytest.raises(StoreAccessDeniedError, match="Permission denied"):
            await payloads.reload(claim)


async def test_a_draft_goes_when_writing_fails(tmp_path: Path):
    async with Payloads(f"file://{tmp_path}/a") as payloads:

        async def pieces():
            yield b"x"
            raise LookupError("dry")

        with pytest.raises(LookupError):
            await payloads.store.write("2026-01-02/x", pieces())
    assert list((tmp_path / "a" / "2026-01-02").iterdir()) == []
