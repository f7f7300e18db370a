"""The census's handlers, on small modules of our own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workers import ActivityError
from workers.demo.census import (
    DEFINITION,
    LeftOut,
    Measured,
    Module,
    Source,
    count,
    list_modules,
    records,
    registry,
    total,
    untangle,
)

Write = Callable[[str, str], Source]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a module; its source."""

    def source(name: str, text: str) -> Source:
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        return Source(name=name, path=path)

    return source


def module(name: str, **counts: object) -> Module:
    nothing = {"lines": 0, "functions": 0, "classes": 0, "documented": 0, "longest": None, "imports": []}
    return Module.model_validate({"name": name, "path": f"{name}.py"} | nothing | counts)


async def test_a_package_is_listed_with_its_subpackages_and_without_its_tests(tmp_path: Path) -> None:
    for path in ("__init__.py", "b.py", "sub/__init__.py", "sub/a.py", "test/test_b.py", "data.txt"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    listing = await list_modules("pkg", tmp_path)
    assert [source.name for source in listing.modules] == ["pkg", "pkg.b", "pkg.sub", "pkg.sub.a"]
    assert listing.modules[-1].path == tmp_path / "sub/a.py"


async def test_a_folder_without_modules_fails_by_name(tmp_path: Path) -> None:
    with pytest.raises(ActivityError, match="has 0 modules") as raised:
        await list_modules("pkg", tmp_path)
    assert raised.value.error_name == "NotCountable"


def test_a_module_is_counted(write: Write) -> None:
    text = '''
import os.path, sys
from json import loads
from . import sibling

class Shelf:
    """Documented."""

    async def fill(self):
        import os
        return (
            os,
        )

def empty():
    """Documented."""
'''
    counted = count(write("shop", text))
    assert counted.model_dump(include={"lines", "functions", "classes", "documented", "imports"}) == {
        "lines": 16,
        "functions": 2,
        "classes": 1,
        "documented": 2,
        "imports": ["json", "os", "sys"],
    }
    assert counted.longest == Measured(name="shop.Shelf.fill", size=5)


def test_an_empty_module_has_no_longest_function(write: Write) -> None:
    assert count(write("empty", "")).longest is None


@pytest.mark.parametrize("text", ["def half(", "x = '\x00'", "  indented"])
def test_what_python_cannot_parse_is_unreadable(write: Write, text: str) -> None:
    with pytest.raises(ActivityError) as raised:
        count(write("broken", text))
    assert raised.value.error_name == "Unreadable"


def test_the_function_with_the_most_branches_is_found(write: Write) -> None:
    text = """
def straight():
    return 1

class Knot:
    def tied(self, rope):
        for end in rope:
            if end and self:
                return [strand for strand in end]
"""
    tangled = untangle(count(write("knots", text))).tangled
    assert tangled == Measured(name="knots.Knot.tied", size=4)


async def test_a_package_is_totalled_without_what_was_left_out() -> None:
    left_out = LeftOut(name="pkg.c", reason="Unreadable")
    modules = [module("pkg.a", lines=10, functions=2), module("pkg.b", lines=5, classes=1), left_out]
    found = await total("pkg", modules)
    assert (found.modules, found.lines, found.functions, found.classes) == (2, 15, 2, 1)
    assert found.left_out == [left_out]


def test_records_are_the_largest_of_all_modules() -> None:
    short, long = Measured(name="a.f", size=3), Measured(name="b.g", size=9)
    modules = [
        module("a", longest=short, imports=["os", "sys"]),
        module("b", longest=long, tangled=short, imports=["os"]),
        LeftOut(name="c", reason="Unreadable"),
    ]
    found = records(modules)
    assert (found.longest, found.tangled) == (long, short)
    assert found.imports == {"os": 2, "sys": 1}


def test_modules_and_what_was_left_out_are_told_apart_as_json() -> None:
    """Both come to the last two activities in one list, from a Map."""
    arguments = registry["census-records"].arguments
    given = {"modules": [module("a", imports=["os"]).model_dump(mode="json"), {"name": "b", "reason": "Unreadable"}]}
    assert arguments.keys is not None
    kinds = [type(each) for each in arguments.keys.validate_python(given)["modules"]]
    assert kinds == [Module, LeftOut]


async def test_the_machine_leaves_out_what_cannot_be_read(tmp_path: Path, run_machine: Callable[..., Any]) -> None:
    (tmp_path / "__init__.py").touch()
    (tmp_path / "long.py").write_text("def f():\n    pass\n" * 500)
    (tmp_path / "half.py").write_text("def half(")
    run = await run_machine(DEFINITION, registry, {"package": "pkg", "folder": str(tmp_path)})
    assert (run.output["totals"]["modules"], run.output["totals"]["functions"]) == (2, 500)
    assert run.output["totals"]["left_out"] == [{"name": "pkg.half", "reason": "Unreadable"}]
    assert run.attempts("Count") == 4
    assert all(run.passed(state) for state in ("Leave out", "Untangle", "Conclude"))
