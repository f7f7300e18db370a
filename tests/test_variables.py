"""Variables that nothing reads, and where settings come from."""

import pytest

from workers.cli.main import cli
from workers.settings import Settings
from workers.variables import COMMANDS, Unknown, origins, unknown_variables


def test_a_variable_that_nothing_reads_is_found_with_the_one_that_was_meant() -> None:
    found = unknown_variables(["WORKERS_GRAZE", "WORKERS_GRACE", "PATH", "WORKERS_XYZZY", "workers_concurency"])

    assert found == [
        Unknown("WORKERS_GRAZE", "WORKERS_GRACE"),
        Unknown("WORKERS_XYZZY", None),
        Unknown("workers_concurency", "WORKERS_CONCURRENCY"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "WORKERS_SERVE_PORT",
        "WORKERS_LOCAL_KEEP",
        "WORKERS_MANAGER_URL",
        "WORKERS_SERVICE_HOST",
        "WORKERS_SERVICE_PORT_HTTP",
        "WORKERS_PORT",
        "WORKERS_PORT_80_TCP_ADDR",
        "WORKERS_HEALTH_PORT",
        "workers_grace",
        "NETWORKERS_GRAZE",
    ],
)
def test_what_other_commands_and_kubernetes_set_is_known(name: str) -> None:
    assert unknown_variables([name]) == []


def test_a_service_named_workers_shadows_no_setting() -> None:
    assert not [name for name in Settings.model_fields if name.startswith(("service_", "port"))]


def test_no_setting_looks_like_the_variable_of_another_command() -> None:
    prefixes = tuple(f"{command}_" for command in COMMANDS)
    assert [name for name in Settings.model_fields if name.startswith(prefixes)] == ["local_port"]  # of every command


def test_every_command_but_run_has_its_prefix() -> None:
    assert set(cli.list_commands(None)) - {"run"} <= set(COMMANDS)


def test_each_setting_says_where_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKERS_GRACE", "7")
    monkeypatch.setenv("WORKERS_HEARTBEAT", "9")
    monkeypatch.setenv("WORKERS_NAMESPACE", "")
    given = {"heartbeat": "3", "create": False}
    found = {one.name: (one.value, one.origin) for one in origins(Settings(**given), given)}

    assert list(found) == list(Settings.model_fields)
    assert found["grace"] == (7.0, "WORKERS_GRACE")
    assert found["heartbeat"] == (3.0, "--heartbeat")
    assert found["create"] == (False, "--no-create")
    assert found["namespace"] == (None, "default")
    assert found["pollers"] == (Settings.model_fields["pollers"].default, "default")
