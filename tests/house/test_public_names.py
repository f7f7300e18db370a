"""What others import from the packages and their rooms: pinned here, because a name that was released stays."""

import ast
import inspect
from importlib import import_module

import pytest

from tests.house.modules import FILES, is_door

PUBLIC = {
    "workers": {
        "ActivityError",
        "PausePolling",
        "Registry",
        "Settings",
        "Task",
        "TaskCancelledError",
        "UsageError",
        "Worker",
        "WorkersError",
        "__version__",
    },
    "interceptors": {
        "CallNext",
        "Heartbeat",
        "Idempotent",
        "Interceptor",
        "LogPayloads",
        "Payload",
        "Retry",
        "Steps",
        "Telemetry",
        "Timeout",
    },
}

DOORS = [module for module in FILES if is_door(module) and "_HOMES" in FILES[module].read_text()]


@pytest.mark.parametrize("package", PUBLIC)
def test_the_public_names_are_these(package: str):
    assert set(import_module(package).__all__) == PUBLIC[package]


@pytest.mark.parametrize("door", DOORS)
def test_every_name_of_a_door_is_where_it_says(door: str):
    module = import_module(door)
    assert dir(module) == sorted(module.__all__)
    for name, home in module._HOMES.items():
        found = getattr(module, name)
        assert found is getattr(import_module(home), name)
        if inspect.isclass(found) or inspect.isfunction(found):
            assert found.__module__ == home


@pytest.mark.parametrize("door", DOORS)
def test_type_checkers_see_what_a_door_hands_out(door: str):
    tree = ast.parse(FILES[door].read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    seen = {alias.asname: node.module for node in imports for alias in node.names}
    assert seen == import_module(door)._HOMES


@pytest.mark.parametrize("door", DOORS)
def test_a_name_that_is_not_there_is_an_attribute_error(door: str):
    with pytest.raises(AttributeError, match=f"module '{door}' has no attribute 'Nothing'"):
        import_module(door).Nothing  # noqa: B018 - the look is what fails


@pytest.mark.parametrize("package", PUBLIC)
def test_a_star_brings_all_of_them(package: str):
    names: dict[str, object] = {}
    exec(f"from {package} import *", names)
    assert names.keys() >= PUBLIC[package]
