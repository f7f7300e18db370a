"""The OpenAPI document that is kept. `python -m tests.manager.api.openapi` writes it anew."""

import json
from pathlib import Path

from workers.manager.api.app import make_app

FILE = Path(__file__).parents[3] / "docs" / "reference" / "openapi.json"


def text() -> str:
    """The document as it is kept."""
    return json.dumps(make_app().openapi(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
