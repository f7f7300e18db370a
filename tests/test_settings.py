"""Settings: from arguments, from variables, and refused in words that name both."""

from typing import Any

import pytest
from pydantic import ValidationError

from workers.errors import UsageError
from workers.settings import Settings, flag, variable


def refusal(**values: Any) -> str:
    with pytest.raises(UsageError) as caught:
        Settings(**values)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_every_setting_has_a_default_and_says_what_it_is():
    assert Settings() == Settings(**{name: field.default for name, field in Settings.model_fields.items()})
    assert all(field.description for field in Settings.model_fields.values())


def test_flag_and_variable_have_the_settings_name():
    assert (flag("worker_name"), variable("worker_name")) == ("--worker-name", "WORKERS_WORKER_NAME")


def test_what_part_one_promises_is_there():
    promised = {"concurrency", "pollers", "grace", "heartbeat", "worker_name", "namespace", "create", "local"}
    assert promised <= Settings.model_fields.keys()
    assert Settings().grace == 30.0


def test_an_argument_wins_over_a_variable_and_a_variable_over_the_default(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WORKERS_GRACE", "5")
    assert Settings().grace == 5.0
    assert Settings(grace=7).grace == 7.0


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("true", True), ("TRUE", True), ("yes", True), ("on", True), ("0", False), ("no", False)],
)
def test_booleans_in_variables(monkeypatch: pytest.MonkeyPatch, text: str, value: bool):
    monkeypatch.setenv("WORKERS_LOCAL", text)
    monkeypatch.setenv("WORKERS_CREATE", text)
    assert (Settings().local, Settings().create) == (value, value)
    assert Settings(local=not value).local is not value


def test_an_empty_variable_is_none_at_all(monkeypatch: pytest.MonkeyPatch):
    for name in Settings.model_fields:
        monkeypatch.setenv(variable(name), "")
    assert Settings() == Settings(**{name: field.default for name, field in Settings.model_fields.items()})


def test_an_account_is_text_that_may_begin_with_zeros(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WORKERS_ACCOUNT", "000000000012")
    assert Settings().account == "000000000012"


def test_variables_of_others_are_not_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WORKERS_PORT", "tcp://10.0.0.1:80")  # Kubernetes, for a Service named workers
    monkeypatch.setenv("GRACE", "1")
    assert Settings() == Settings(grace=30)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("concurrency", "0", "input should be greater than or equal to 1"),
        ("concurrency", "2.5", "input should be a valid integer, unable to parse string as an integer"),
        ("pollers", "many", "input should be a valid integer, unable to parse string as an integer"),
        ("grace", "-1", "input should be greater than or equal to 0"),
        ("grace", "nan", "input should be a finite number"),
        ("heartbeat", "inf", "input should be a finite number"),
        ("heartbeat", "10s", "input should be a valid number, unable to parse string as a number"),
        ("local", "maybe", "input should be a valid boolean, unable to interpret input"),
        ("local_port", "65536", "input should be less than or equal to 65535"),
        ("log_level", "loud", "input should be 'debug', 'info', 'warning' or 'error'"),
        ("account", "12345", "string should match pattern '^[0-9]{12}$'"),
        ("account", "١٢٣٤٥٦٧٨٩٠١٢", "string should match pattern '^[0-9]{12}$'"),
        ("namespace", "a b", "the given name 'a b' holds ' ', which AWS refuses: use letters, digits, - and _"),
        ("namespace", "a--b", "'--' separates the namespace from the activity's name"),
        ("worker_name", "a/b", "the given name 'a/b' holds '/', which AWS refuses: use letters, digits, - and _"),
    ],
)
def test_a_value_that_cannot_be_is_refused_alike_from_wherever_it_comes(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, why: str
):
    message = f"{flag(name)} (or {variable(name)}) cannot be {text!r}: {why}"
    assert refusal(**{name: text}) == message
    monkeypatch.setenv(variable(name), text)
    assert refusal() == message


def test_all_that_is_wrong_is_said_at_once():
    message = refusal(concurrency=0, grace=-1)
    assert "--concurrency (or WORKERS_CONCURRENCY) cannot be 0" in message
    assert "; --grace (or WORKERS_GRACE) cannot be -1" in message


@pytest.mark.parametrize("name", ["worker_name", "namespace"])
def test_an_empty_name_that_was_given_is_refused(name: str):
    assert "name is empty" in refusal(**{name: ""})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"gracee": 1}, "there is no setting named gracee"),
        ({"b": 1, "a": 2}, "there is no setting named a, b"),
        ({"_env_file": "x"}, "there is no setting named _env_file"),
    ],
)
def test_an_unknown_setting_is_refused(values: dict[str, Any], message: str):
    assert refusal(**values).startswith(message)


def test_numbers_of_polls_that_do_not_fit_each_other_are_refused(monkeypatch: pytest.MonkeyPatch):
    order = "they must rise in the order --min-pollers, --initial-pollers, --pollers"
    assert refusal(min_pollers=9, pollers=8) == f"--min-pollers is 9 and --pollers 8: {order}"
    assert refusal(min_pollers=9) == f"--min-pollers is 9 and --pollers 8: {order}"  # by default
    monkeypatch.setenv("WORKERS_POLLERS", "3")
    assert refusal(initial_pollers=4) == f"--initial-pollers is 4 and --pollers 3: {order}"


def test_the_default_of_the_first_polls_need_not_fit():
    assert Settings(pollers=1).initial_pollers == 2
    assert Settings(min_pollers=5).initial_pollers == 2


def test_settings_do_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        Settings().grace = 1.0  # type: ignore[misc]


def test_the_local_endpoint_is_on_loopback():
    assert Settings(local_port=9000).local_url == "http://127.0.0.1:9000"
