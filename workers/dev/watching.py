"""Which saves matter: of the files that the code was read from, of the machines, of their inputs."""

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import anyio
from watchfiles import DefaultFilter, awatch

from workers.dev.sources import Signature, signature

_STEP = 20
_BURST = 200
"""Milliseconds without news after which a burst is over, and for which one may last."""
_LOOK = 1_000
"""Milliseconds between two looks of our own, for file systems that tell nothing."""


class Watched:
    """The files that matter, each as it was when it was last read."""

    def __init__(self, files: Iterable[Path], trees: Iterable[Path]) -> None:
        self.loose = False
        """Whether any Python file matters: code that could not be loaded may lack one that nobody knows of."""
        self._always = [str(file.absolute()) for file in files]
        self._trees = [tree.absolute() for tree in trees]
        self._known: dict[str, Signature | None] = {}
        self._folders: frozenset[str] = frozenset()
        self._here = Path.cwd()
        self._moved = anyio.Event()
        self._of_tree = DefaultFilter()
        self._read: dict[str, Signature | None] = {}
        self.begin()
        self.note({})

    def begin(self) -> None:
        """The files that always matter are about to be read."""
        self._read = {path: signature(path) for path in self._always}

    def note(self, files: dict[str, Signature | None]) -> None:
        """The code is that of `files`, as they were when they were read."""
        self._known = files | self._read
        folders = {str(Path(path).parent) for path in self._known} | {str(self._here)}
        if folders != self._folders:
            self._folders = frozenset(folders)
            self._moved.set()

    async def changes(self) -> AsyncIterator[list[str]]:
        """The names of files that were saved, again and again."""
        while True:
            self._moved = anyio.Event()
            async for found in awatch(
                *self._there(),
                recursive=False,
                watch_filter=None,
                stop_event=self._moved,
                step=_STEP,
                debounce=_BURST,
                rust_timeout=_LOOK,
                yield_on_timeout=True,
            ):
                if changed := self._changed({path for _, path in found}):
                    yield changed

    async def changes_below(self) -> AsyncIterator[list[str]]:
        """The same for the folders that were named: everything in them matters."""
        async for found in awatch(*self._trees, watch_filter=self._of_tree, step=_STEP, debounce=_BURST):
            yield sorted({self._shown(path) for _, path in found})

    @property
    def has_trees(self) -> bool:
        """Whether folders were named."""
        return bool(self._trees)

    def _changed(self, found: set[str]) -> list[str]:
        """What is not as it was read; each change is told once."""
        now = {path: signature(path) for path in self._known}
        changed = [path for path in now if now[path] != self._known[path] and now[path] is not None]
        self._known |= now
        if self.loose:
            changed += [path for path in found - self._known.keys() if _may_be_code(path)]
        return sorted(map(self._shown, changed))

    def _there(self) -> list[str]:
        return [folder for folder in self._folders if Path(folder).is_dir()]

    def _shown(self, path: str) -> str:
        found = Path(path)
        return str(found.relative_to(self._here)) if found.is_relative_to(self._here) else path


def _may_be_code(path: str) -> bool:
    return path.endswith(".py") or (Path(path).is_dir() and not Path(path).name.startswith((".", "__")))
