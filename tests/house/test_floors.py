"""The plan of the house: imports run downwards, and no two files import each other."""

from graphlib import CycleError, TopologicalSorter

import pytest

from tests.house.modules import FILES, PACKAGES, imports, is_door

FLOORS = (
    "collector errors version backoff durations sqlite_file services arns pollers settings variables metrics emf logs",
    "envelope",
    "task",
    "payloads",
    "interceptors",
    "failures signatures handlers registry",
    "loading",
    "stepfunctions",
    "supervisor",
    "histories",
    "machines",
    "executions",
    "local",
    "reloaded",
    "offline",
    "dev testing callbacks commands demo doctor iam",
    "manager",
    "embedded web",
    "cli",
    "__main__",
)
"""From the ground up. A name is a file of `workers`, a folder of it, or the package `interceptors`."""

LEVELS = {room: level for level, rooms in enumerate(FLOORS) for room in rooms.split()}


def room(module: str) -> str:
    package, _, rest = module.partition(".")
    return "interceptors" if package == "interceptors" else rest.partition(".")[0]


def allowed(importer: str, imported: str) -> bool:
    """Whether a file of one room may import from another: from a lower floor, or a file beside it on its own."""
    if LEVELS[imported] == LEVELS[importer]:
        return all(f"workers.{name}" in FILES and not is_door(f"workers.{name}") for name in (importer, imported))
    return LEVELS[imported] < LEVELS[importer]


INSIDE = [module for module in FILES if module not in PACKAGES]


@pytest.mark.parametrize("module", INSIDE)
def test_a_module_imports_from_its_own_room_or_from_below(module: str):
    here = room(module)
    assert here in LEVELS, f"{module} is on no floor: give {here} a place in FLOORS, and in the design"
    wrong = [other for other in imports(module) if other in PACKAGES]
    assert not wrong, f"{module} imports from the package {wrong}: name the module where the thing lives"
    wrong = sorted(other for other in imports(module) if room(other) != here and not allowed(here, room(other)))
    assert not wrong, f"{module} ({here}) imports from above: {', '.join(wrong)}"


def test_no_imports_go_round_in_a_circle():
    try:
        TopologicalSorter({module: imports(module) for module in FILES}).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_the_doors_of_the_packages_import_nothing():
    for package in PACKAGES:
        assert set(imports_when_run(package)) <= {"importlib", "typing"}


def imports_when_run(module: str) -> list[str]:
    import ast

    tree = ast.parse(FILES[module].read_text())
    return [node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)]
