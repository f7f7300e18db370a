"""Draws the second picture in the README: an execution fails, is replayed, mended and redriven.

python docs/images/redrive.py [FILE]
"""

import asyncio
import io
import os
import re
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

from workers.local import LocalStepFunctions

PAGE = (Path(__file__).parents[1] / "how-to" / "development-loop.md").read_text(encoding="utf-8")
FILES = re.findall(r"^```\{[^\n]* file=([^\s}]+)\}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
WORKER = "workers run handlers:registry >/dev/null 2>&1 & echo $! >worker"
STEPS = [
    "workers executions start orders '{\"amounts\": []}' --name monday --wait",
    "workers replay orders:monday",
    "sed -i.bak 's|len(amounts)$|(len(amounts) or 1)|' handlers.py",
    "workers replay orders:monday",
    "deploy",
    "workers executions redrive orders:monday --wait",
]
HIDDEN = {"deploy": f"kill -9 $(cat worker); {WORKER}"}


async def printed(command: str, folder: Path, environment: dict[str, str]) -> str:
    """What a command prints."""
    shell = await asyncio.create_subprocess_shell(
        command, cwd=folder, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    return (await shell.communicate())[0].decode().replace(str(folder), "/home/ada")


async def main() -> str:
    """Plays the steps; a picture of what they print, in SVG."""
    console = Console(file=io.StringIO(), record=True, width=100, color_system="truecolor", highlight=False)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in FILES:
            (folder / file).write_text(text)
        async with LocalStepFunctions(poll_hold=0.5) as local:
            port = {"WORKERS_LOCAL": "true", "WORKERS_LOCAL_PORT": str(local.port)}
            path = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
            environment = {**os.environ, **local.environment(), **port, **path}
            await printed(f"workers machines put orders.yaml; {WORKER}", folder, environment)
            for step in STEPS:
                console.print(Text("$ ", style="green").append(step, style="bold white"))
                said = await printed(HIDDEN.get(step, step), folder, environment)
                if said.strip():
                    console.print(Text(said.rstrip()))
            await printed("kill -9 $(cat worker)", folder, environment)
    drawn = console.export_svg(title="fail, replay, fix, deploy, redrive", theme=SVG_EXPORT_THEME, unique_id="redrive")
    return re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)  # a picture should fetch nothing


if __name__ == "__main__":
    picture = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_suffix(".svg")
    picture.write_text(asyncio.run(main()), encoding="utf-8")
