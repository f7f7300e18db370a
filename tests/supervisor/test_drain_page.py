"""The page about the drain shows the phases that the code has."""

import re
from pathlib import Path

from workers.errors import ExitCode
from workers.supervisor import drain
from workers.supervisor.drain import Phase

PAGE = (Path(__file__).parents[2] / "docs/explanation/the-no-loss-poll.md").read_text()


def test_page_and_code_show_the_same_phases() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert rows == [phase.value for phase in Phase]
    drawn = set(re.findall(r"(?:--> )?(\w+) -->", PAGE)) | set(re.findall(r"--> (\w+):", PAGE))
    assert drawn == {phase.value for phase in Phase}
    assert all(phase.name in (drain.__doc__ or "") for phase in Phase)


def test_page_and_code_show_the_same_exit_codes() -> None:
    assert re.findall(r"^\| (\d) \|", PAGE, re.MULTILINE) == [str(int(code)) for code in ExitCode]
