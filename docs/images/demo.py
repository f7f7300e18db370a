"""Draws demo.svg, the picture in the README, from a run of the demo: `make image`."""

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME

from workers.demo.demo import main

console = Console(file=io.StringIO(), record=True, width=100, color_system="truecolor", highlight=False)
if code := main(console):
    sys.exit(code)
picture = console.export_svg(title="workers demo", theme=SVG_EXPORT_THEME, unique_id="demo")
picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)  # a picture should fetch nothing
Path(__file__).with_suffix(".svg").write_text(picture, encoding="utf-8")
