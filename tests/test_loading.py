"""`MODULE:ATTRIBUTE` becomes a registry, or one clear message that says which part is wrong."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workers import Registry
from workers.errors import UsageError
from workers.loading import load_registry

REGISTRY = """
from workers import Registry
registry = Registry()
@registry.activity
def add(x: int, y: int) -> int:
    return x + y
"""

Write = Callable[[str, str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes files into the current folder, a fresh one, whose modules are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)

    def file(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
        importlib.invalidate_caches()

    yield file
    for name in set(sys.modules) - before:
        del sys.modules[name]


def refused(target: str) -> str:
    with pytest.raises(UsageError) as caught:
        load_registry(target)
    assert caught.value.__cause__ is None
    return str(caught.value)


@pytest.mark.parametrize("target", ["handlers:registry", "handlers:Here.registry", "handlers:Here.Inner.registry"])
def test_a_registry_of_the_current_folder_is_found(write: Write, target: str):
    write(
        "handlers.py",
        f"{REGISTRY}\nclass Here:\n    registry = registry\n    class Inner:\n        registry = registry\n",
    )
    assert isinstance(load_registry(target), Registry)


def test_a_registry_in_a_package_is_found(write: Write):
    write("shop/__init__.py", "")
    write("shop/orders.py", REGISTRY)
    assert "add" in load_registry("shop.orders:registry")


def test_the_current_folder_wins_over_installed_packages(write: Write, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    write("colorsys.py", REGISTRY)
    assert "add" in load_registry("colorsys:registry")


@pytest.mark.parametrize("target", ["", "handlers", "handlers:", ":registry", ":"])
def test_a_target_without_both_parts(target: str):
    assert refused(target) == f"{target!r} names no registry: write MODULE:ATTRIBUTE, as in handlers:registry"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nowhere:registry", "there is no module 'nowhere' here or among the installed packages"),
        ("shop.nowhere:registry", "there is no module 'shop.nowhere' here or among the installed packages"),
        ("nowhere.at.all:registry", "there is no module 'nowhere' here or among the installed packages"),
        (
            "handlers.py:registry",
            "installed packages: write it without folder and ending, as in handlers:registry",
        ),
        (
            "src/handlers:registry",
            "installed packages: write it without folder and ending, as in handlers:registry",
        ),
        ("Handlers:registry", "did you mean 'handlers'?"),
        (".handlers:registry", "'.handlers' is not the name of a module"),
        ("..:registry", "'..' is not the name of a module"),
    ],
)
def test_a_module_that_is_not_there(write: Write, target: str, message: str):
    write("handlers.py", REGISTRY)
    write("shop/__init__.py", "")
    assert message in refused(target)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("registy", "module 'handlers' has no attribute 'registy'"),
        ("Here.registy", "the class Here has no attribute 'registy'"),
        ("registry.more", "an object of type Registry has no attribute 'more'"),
        ("registry:more", "module 'handlers' has no attribute 'registry:more'"),
        ("add", "is an object of type function, not a registry: name a workers.Registry"),
        ("Registry", "is the class Registry, not a registry: name a workers.Registry"),
        ("number", "is an object of type int, not a registry: name a workers.Registry"),
        ("empty", "is an empty registry: register a handler with @registry.activity"),
        ("__name__", "is an object of type str, not a registry: name a workers.Registry"),
        ("broken.registry", "fails when it is read: KeyError: 'no pool'"),
    ],
)
def test_an_attribute_that_is_no_registry(write: Write, path: str, message: str):
    write(
        "handlers.py",
        f"""{REGISTRY}
class Here: ...
class Broken:
    @property
    def registry(self):
        raise KeyError("no pool")
broken = Broken()
empty = Registry()
number = 5
""",
    )
    assert (
        refused(f"handlers:{path}")
        == f"'handlers:{path}'{'' if message.startswith(('is', 'fails')) else ':'} {message}"
    )


# --- modules that fail


def test_a_module_that_fails_shows_its_own_traceback(write: Write, tmp_path: Path):
    write("handlers.py", "import helpers\n")
    write("helpers.py", "def connect():\n    return {}['host']\n\nconnect()\n")
    message = refused("handlers:registry")
    assert [line for line in message.splitlines() if set(line) - set(" ~^")] == (
        "the module 'handlers' fails when it is imported:\n"
        "Traceback (most recent call last):\n"
        f'  File "{tmp_path}/handlers.py", line 1, in <module>\n'
        "    import helpers\n"
        f'  File "{tmp_path}/helpers.py", line 4, in <module>\n'
        "    connect()\n"
        f'  File "{tmp_path}/helpers.py", line 2, in connect\n'
        "    return {}['host']\n"
        "KeyError: 'host'"
    ).splitlines()


def test_the_error_before_is_shown_too(write: Write):
    write(
        "handlers.py", "try:\n    {}['host']\nexcept KeyError as error:\n    raise RuntimeError('no host') from error\n"
    )
    message = refused("handlers:registry")
    assert message.count("KeyError: 'host'") == 1
    assert message.count("The above exception was the direct cause of the following exception:") == 1
    assert message.endswith("RuntimeError: no host")
    assert "importlib" not in message
    assert "loading.py" not in message


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
        ("from workers import Registri", "ImportError: cannot import name 'Registri' from 'workers'"),
        ("def f(:\n    pass", "SyntaxError: invalid syntax"),
        ("import handlers.more", "No module named 'handlers.more'; 'handlers' is not a package"),
        ("raise SystemExit('no config')", "SystemExit: no config"),
        ("raise ValueError", "ValueError"),
        ("import importlib; importlib.import_module('..x')", "TypeError: the 'package' argument is required"),
    ],
)
def test_every_way_to_fail_is_the_modules_own(write: Write, text: str, ending: str):
    write("handlers.py", text)
    message = refused("handlers:registry")
    assert message.startswith("the module 'handlers' fails when it is imported:\n")
    assert ending in message.splitlines()[-1]


def test_a_folder_called_like_the_import_machinery_is_still_shown(write: Write, tmp_path: Path):
    write("importlib_tools/__init__.py", "1 / 0")
    write("handlers.py", "import importlib_tools")
    assert f'File "{tmp_path}/importlib_tools/__init__.py", line 1' in refused("handlers:registry")


def test_ctrl_c_during_the_import_stays_what_it_is(write: Write):
    write("handlers.py", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load_registry("handlers:registry")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("registry.add('add', print)", "activity add: print takes *args: an input has keys, not positions"),
        ("registry.add('a b', len)", "the activity name 'a b' holds ' ', which AWS refuses"),
        ("registry.add('add', len)", "activity add has two handlers, add and len: an activity has one"),
        (
            "registry.add('x', len, concurrency=0)",
            "activity x: concurrency: Input should be greater than or equal to 1",
        ),
        ("import interceptors; interceptors.Heartbeat(-1)", "Heartbeat: interval is -1, it must be 0 seconds or more"),
    ],
)
def test_a_registration_that_is_refused_is_one_line_with_its_place(write: Write, line: str, message: str):
    write("handlers.py", f"{REGISTRY}\n{line}\n")
    found = refused("handlers:registry")
    number = len(REGISTRY.splitlines()) + 2
    assert "\n" not in found
    assert found.startswith(f"handlers.py:{number}: {message}")


def test_the_place_of_a_refusal_elsewhere_is_a_whole_path(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write("lib/shared_handlers.py", f"{REGISTRY}registry.add('add', len)")
    write("app/handlers.py", "import shared_handlers")
    monkeypatch.syspath_prepend(tmp_path / "lib")
    monkeypatch.chdir(tmp_path / "app")
    assert refused("handlers:registry").startswith(
        f"{tmp_path}/lib/shared_handlers.py:7: activity add has two handlers"
    )
