"""Where a command works, and what is left of it."""

import shutil
from pathlib import Path

from workers.commands.places import fresh_place


async def test_what_a_command_removed_itself_changes_nothing_above_it(tmp_path: Path):
    tmp_path.chmod(0o755)
    async with fresh_place(tmp_path, b"{}") as place:
        shutil.rmtree(place.work.parent)
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert list(tmp_path.iterdir()) == []
