"""Payloads in the log: only on request, and without secrets."""

import pytest
import structlog

from interceptors import LogPayloads
from tests.interceptors.tasks import make
from workers.errors import RegistrationError
from workers.payloads import PayloadStream
from workers.task import Task


async def shown(interceptor: LogPayloads, value: object, result: object = None) -> list[str]:
    async def handler(task: Task) -> object:
        assert task.input == value
        return result

    with structlog.testing.capture_logs() as logs:
        assert await interceptor(make(value), handler) == result
    assert [line["event"] for line in logs] == ["task input", "task result"]
    assert all(line["activity"] == "charge" for line in logs)
    return [line["document"] for line in logs]


async def test_input_and_result_are_shown():
    assert await shown(LogPayloads(), {"x": "ü"}, [1, None]) == ['{"x": "ü"}', "[1, null]"]


@pytest.mark.parametrize(
    "key",
    ["password", "Password", "db_password_2", "API_KEY", "apikey", "Authorization", "accessToken", "client_secret"],
)
async def test_secrets_are_never_shown(key: str):
    document = {"deep": [{key: "hunter2", "user": "me"}], key: {"a": "hunter2"}}
    for text in await shown(LogPayloads(), document, document):
        assert "hunter2" not in text
        assert '"user": "me"' in text


async def test_keys_of_ones_own_are_hidden_too():
    texts = await shown(LogPayloads(redact=["card_*", "iban"]), {"card_number": 4711, "IBAN": "DE", "card": 1})
    assert texts[0] == '{"card_number": "(hidden)", "IBAN": "(hidden)", "card": 1}'


async def test_long_documents_are_cut():
    text = (await shown(LogPayloads(limit=10), "x" * 100))[0]
    assert text == '"xxxxxxxxx… (102 characters)'


async def test_what_json_cannot_hold_is_shown_too():
    texts = await shown(LogPayloads(), None, {"stream": PayloadStream(b"x")})
    assert "PayloadStream" in texts[1]


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
async def test_the_level_can_be_chosen(level: str):
    async def handler(task: Task) -> None:
        return None

    with structlog.testing.capture_logs() as logs:
        await LogPayloads(level=level)(make(), handler)
    assert {line["log_level"] for line in logs} == {level}


@pytest.mark.parametrize(
    ("options", "said"), [({"redact": "iban"}, r"must be a list, \['iban'\]"), ({"level": "x"}, "level")]
)
def test_options_that_cannot_work_are_refused(options: dict, said: str):
    with pytest.raises(RegistrationError, match=said):
        LogPayloads(**options)
