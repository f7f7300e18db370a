import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.proxy import hasty, here, proxy
from workers import Registry
from workers.doctor import Finding, examine
from workers.settings import Settings

__all__ = ["hasty", "here", "proxy"]


@pytest.fixture
def offline(tmp_path: Path) -> Callable[..., Any]:
    """Examines a registry beside definitions, without AWS; gives the findings but those of validation."""

    async def run(registry: Registry, *definitions: dict[str, Any], **settings: Any) -> list[Finding]:
        files = []
        for number, definition in enumerate(definitions, start=1):
            files.append(tmp_path / f"m{number}.json")
            files[-1].write_text(json.dumps(definition))
        report = await examine(registry, files, Settings(**settings), offline=True)
        return [finding for finding in report.findings if not re.search(r"m\d\.json:\d", finding.where)]

    return run
